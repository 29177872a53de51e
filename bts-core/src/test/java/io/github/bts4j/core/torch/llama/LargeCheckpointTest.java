package io.github.bts4j.core.torch.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.Torch;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A model of one file of 4.5 GiB, two of whose tensors are larger than 2 GiB each. The file is sparse: all weights are zero but some rows, most of them behind
 * the 2 GiB that an int reaches. Without its layers the model is {@code lm_head . (e / rms(e))}, e being the token's row.
 */
@Tag("slow")
class LargeCheckpointTest {
    private static final int VOCAB = 1_200_000;
    private static final int HIDDEN = 1024;
    private static final int TOKEN = VOCAB - 3;
    private static final int[] ROWS = {5, 900_000, VOCAB - 1};

    @TempDir
    private Path folder;

    /** Numbers that bfloat16 holds exactly: eighths from -4 to 4. */
    private static float[] eighths(long seed) {
        Random random = new Random(seed);
        float[] values = new float[HIDDEN];
        for (int i = 0; i < HIDDEN; i++) {
            values[i] = (random.nextInt(65) - 32) / 8f;
        }
        return values;
    }

    private static void write(RandomAccessFile file, long offset, float... values) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putShort((short) (Float.floatToIntBits(value) >>> 16));
        }
        file.seek(offset);
        file.write(bytes.array());
    }

    private void writeModel() throws IOException {
        LlamaConfig config = LlamaConfig.builder().vocabSize(VOCAB).hiddenSize(HIDDEN).intermediateSize(HIDDEN).numLayers(1).numHeads(8).numKvHeads(8)
                .maxPositionEmbeddings(64).rmsNormEps(1e-6).dtype(Precision.BFLOAT16).build();
        config.write(folder.resolve("config.json"));
        ObjectNode header = new ObjectMapper().createObjectNode();
        Map<String, Long> starts = new HashMap<>();
        long end = 0;
        for (var tensor : LlamaTensors.shapes(config).entrySet()) {
            starts.put(tensor.getKey(), end);
            ObjectNode entry = header.putObject(tensor.getKey()).put("dtype", "BF16");
            tensor.getValue().forEach(entry.putArray("shape")::add);
            entry.putArray("data_offsets").add(end).add(end += 2 * tensor.getValue().stream().reduce(1L, (a, b) -> a * b));
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        long data = 8L + json.length + (8 - json.length % 8) % 8;
        assertTrue(starts.get("lm_head.weight") > 2L << 30 && end > 4L << 30, "the file holds " + end + " bytes");
        try (RandomAccessFile file = new RandomAccessFile(folder.resolve("model.safetensors").toFile(), "rw")) {
            file.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(data - 8).array());
            file.write(json);
            file.write(" ".repeat((int) (data - 8 - json.length)).getBytes(StandardCharsets.UTF_8));
            float[] ones = new float[HIDDEN];
            java.util.Arrays.fill(ones, 1);
            write(file, data + starts.get("model.norm.weight"), ones);
            write(file, data + starts.get("model.embed_tokens.weight") + 2L * TOKEN * HIDDEN, eighths(1));
            for (int row : ROWS) {
                write(file, data + starts.get("lm_head.weight") + 2L * row * HIDDEN, eighths(row));
            }
            file.setLength(data + end);
        }
    }

    @Test
    void weightsBehindTwoGibibytesAreTheFiles() throws IOException {
        writeModel();
        float[] logits;
        try (LlamaModel model = LlamaModel.open(folder); NDManager scope = Torch.manager().newSubManager()) {
            logits = model.forward(scope.create(new long[] {TOKEN}, new Shape(1, 1))).toFloatArray();
        }
        assertEquals(VOCAB, logits.length);
        float[] embedding = eighths(1);
        double squares = 0;
        for (float value : embedding) {
            squares += value * value;
        }
        double rms = Math.sqrt(squares / HIDDEN);
        for (int row : ROWS) {
            float[] head = eighths(row);
            double expected = 0;
            double size = 0;
            for (int i = 0; i < HIDDEN; i++) {
                expected += head[i] * embedding[i] / rms;
                size += Math.abs(head[i] * embedding[i] / rms);
            }
            // bfloat16 rounds the logit, and before it each element of the normed row, up and down: like a random walk through the terms, whose root mean square is below size / sqrt(n)
            double walk = 4 * Tolerance.BFLOAT16 * Math.sqrt(2.0 / HIDDEN) * size;
            assertEquals(expected, logits[row], walk + Tolerance.ofSum(Tolerance.BFLOAT16, HIDDEN, size, expected), "row " + row);
            assertTrue(Math.abs(expected) > 10, "row " + row + " tells: " + expected);
        }
        assertEquals(0, logits[7]);
        assertEquals(0, logits[VOCAB - 2]);
    }
}
