package io.github.bts4j.core.checkpoint.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.checkpoint.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rounding to Q4_0 against that of the Python package gguf, which takes the scale of the largest value. */
class ScaleSearchTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"));

    @ParameterizedTest
    @CsvSource({"token_embd.weight, model.embed_tokens.weight", "blk.0.attn_v.weight, model.layers.0.self_attn.v_proj.weight"})
    void noGroupHasALargerError(String stored, String name) throws IOException {
        GgufFile file = GgufFile.open(DATA.resolve("gguf/llama2-gqa-q4.gguf"));
        SafetensorsFile original = SafetensorsFile.open(DATA.resolve("golden/llama2-gqa/model.safetensors"));
        assertEquals(GgmlType.Q4_0, file.tensors().get(stored).type());
        float[] x = new float[(int) original.entry(name).elements()];
        original.read(original.entry(name)).asFloatBuffer().get(x);
        float[] theirs = new float[x.length];
        file.dequantize(file.tensors().get(stored), (at, values) -> System.arraycopy(values, 0, theirs, (int) at, values.length));
        float[] ours = new float[x.length];
        GgmlBlocks.decode(GgmlType.Q4_0, GgmlBlocks.encode(GgmlType.Q4_0, x), 0, ours, 0, x.length / 32);
        double all = 0;
        double allOfTheirs = 0;
        for (int group = 0; group < x.length; group += 32) {
            double error = error(x, ours, group);
            double other = error(x, theirs, group);
            assertTrue(error <= 1.01 * other, "group " + group + ": " + error + ", gguf " + other); // scales are rounded to float16 afterwards
            all += error;
            allOfTheirs += other;
        }
        assertTrue(all < 0.95 * allOfTheirs, all + ", gguf " + allOfTheirs);
    }

    /** As it is minimised: large values count more. */
    private static double error(float[] x, float[] rounded, int from) {
        double sum = 0;
        for (int i = from; i < from + 32; i++) {
            sum += (double) x[i] * x[i] * (x[i] - rounded[i]) * (x[i] - rounded[i]);
        }
        return sum;
    }

    @Test
    void whatFourBitsHoldIsKept() {
        float[] x = new float[64];
        for (int i = 0; i < 32; i++) {
            x[i] = 0.25f * (i % 16 - 8);
        }
        float[] rounded = new float[64];
        GgmlBlocks.decode(GgmlType.Q4_0, GgmlBlocks.encode(GgmlType.Q4_0, x), 0, rounded, 0, 2);
        assertArrayEquals(x, rounded);
    }
}
