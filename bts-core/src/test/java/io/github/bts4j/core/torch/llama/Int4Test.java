package io.github.bts4j.core.torch.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Int8Noise;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights that are rounded to four bits on load. */
class Int4Test {
    private static final Path FOLDER = Path.of(System.getProperty("bts4j.testData"), "golden", "llama2-gqa");
    private static final LoadOptions INT4 = LoadOptions.defaults().withPrecision(Precision.FLOAT32).withQuantization(Quantization.INT4);

    @TempDir
    Path scratch;

    /** A GGUF file of the same rounding, which others read, has the same blocks. */
    @Test
    void isTheModelThatExportWrites() throws IOException {
        Path file = scratch.resolve("model.gguf");
        GgufExport.write(FOLDER, file, GgmlType.Q4_0);
        assertEquals(GgmlType.Q4_0, GgufFile.open(file).tensors().get("blk.0.attn_q.weight").type());
        assertEquals(GgmlType.Q8_0, GgufFile.open(file).tensors().get("token_embd.weight").type());
        try (LlamaModel model = LlamaModel.open(FOLDER, INT4); LlamaModel written = LlamaModel.open(file)) {
            assertEquals(List.of("Q4_0", "Q8_0"), model.quantizedTypes());
            int same = 0;
            for (String name : model.tensors().keySet()) {
                if (model.tensors().containsKey(name + "_type")) {
                    assertEquals(Tensors.sha256(written.tensors().get(name)), Tensors.sha256(model.tensors().get(name)), name);
                    same++;
                }
            }
            assertTrue(same > 10, same + " matrices");
        }
    }

    @Test
    void decodesAsItComputes() throws IOException {
        try (GoldenCase golden = new GoldenCase(FOLDER); LlamaModel model = LlamaModel.open(FOLDER, INT4)) {
            int[] tokens = golden.ids("input_ids")[0];
            Tolerance tolerance = Tolerance.of(model.config(), tokens.length, Precision.FLOAT32);
            float[][] expected = model.logits(tokens);
            try (DecodeSession session = model.newSession(tokens.length)) {
                session.append(Arrays.copyOf(tokens, 3));
                for (int t = 3; t < tokens.length; t++) {
                    tolerance.assertClose("at " + t, expected[t], session.append(tokens[t]));
                }
            }
        }
    }

    /** The values of Q4_0 are as far from each other as the largest of 32 by 8: sixteen times as far as int8 of the same 32, at least. */
    @Test
    void logitsStayNearTheReference() throws IOException {
        try (GoldenCase golden = new GoldenCase(FOLDER); LlamaModel model = LlamaModel.open(FOLDER, INT4); LlamaModel noise = Int8Noise.model(golden.manager(), FOLDER, 8)) {
            float[] expected = golden.floats("logits");
            double int8 = GoldenCase.relativeError(expected, noise.forward(golden.tensor("input_ids")).toFloatArray());
            double int4 = GoldenCase.relativeError(expected, model.forward(golden.tensor("input_ids")).toFloatArray());
            assertTrue(int4 < 16 * int8, int4 + ", int8 " + int8);
        }
    }

    @Test
    void roundedWeightsAreNotRoundedAgain() throws IOException {
        try (LlamaModel model = LlamaModel.open(FOLDER, LoadOptions.defaults().withQuantization(Quantization.INT8))) {
            model.save(scratch.resolve("int8"));
        }
        String message = assertThrows(IllegalArgumentException.class, () -> LlamaModel.open(scratch.resolve("int8"), INT4)).getMessage();
        assertTrue(message.contains("quantization = INT4, but the weights in") && message.contains("are int8, rounded already"), message);
        try (LlamaModel model = LlamaModel.open(FOLDER, INT4)) {
            String saved = assertThrows(IllegalStateException.class, () -> model.requireFullWeights("saved")).getMessage();
            assertTrue(saved.contains("as Q4_0, Q8_0, rounded, and cannot be saved: load it without withQuantization"), saved);
        }
    }
}
