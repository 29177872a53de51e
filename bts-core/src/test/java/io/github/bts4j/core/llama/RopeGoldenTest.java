package io.github.bts4j.core.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.llama.rope.RopeTable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** RoPE against the numbers that transformers computed ({@code src-test-data/tools/rope_golden.py}). */
class RopeGoldenTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final double TABLE_TOLERANCE = 1e-6;

    @TempDir
    private Path folder;

    @TestFactory
    Stream<DynamicTest> inverseFrequenciesAreThoseOfTransformers() throws IOException {
        return cases().map(entry -> dynamicTest(entry.getKey(), () -> {
            JsonNode golden = entry.getValue();
            LlamaConfig config = read(golden);
            double[] actual = config.ropeScaling().inverseFrequencies(config.headDim(), config.ropeTheta(), config.maxPositionEmbeddings(),
                    golden.get("sequence_length").intValue());
            assertEquals(golden.get("inv_freq").size(), actual.length);
            int rounded = 0;
            for (int i = 0; i < actual.length; i++) {
                float expected = golden.get("inv_freq").get(i).floatValue();
                assertEquals(expected, (float) actual[i], Math.ulp(expected), "inverse frequency " + i);
                assertEquals((float) actual[i], actual[i], "inverse frequency " + i + " is a float32 value");
                rounded += expected == (float) actual[i] ? 0 : 1;
            }
            assertTrue(rounded <= 1, rounded + " inverse frequencies are not bit for bit those of torch");
            assertEquals(golden.get("attention_factor").doubleValue(), config.ropeScaling().attentionScaling(), 1e-15);
        }));
    }

    @TestFactory
    Stream<DynamicTest> cosinesAndSinesAreThoseOfTransformers() throws IOException {
        return cases().map(entry -> dynamicTest(entry.getKey(), () -> {
            JsonNode golden = entry.getValue();
            LlamaConfig config = read(golden);
            int length = golden.get("sequence_length").intValue();
            RopeTable table = RopeTable.of(config.rope(), 0, length, length);
            double[] frequencies =
                    config.ropeScaling().inverseFrequencies(config.headDim(), config.ropeTheta(), config.maxPositionEmbeddings(), length);
            float[] cos = table.cos();
            float[] sin = table.sin();
            assertEquals(length * table.pairs(), cos.length);
            assertTrue(golden.get("rows").size() > 5);
            for (Map.Entry<String, JsonNode> row : golden.get("rows").properties()) {
                int position = Integer.parseInt(row.getKey());
                int start = position * table.pairs();
                assertEquals(table.pairs(), row.getValue().get("cos").size());
                for (int pair = 0; pair < table.pairs(); pair++) {
                    String place = "position " + position + ", pair " + pair;
                    // what torch's power rounded the other way grows with the position
                    double rounding = Math.abs(golden.get("inv_freq").get(pair).floatValue() - frequencies[pair]) * position;
                    double tolerance = TABLE_TOLERANCE + rounding;
                    assertEquals(row.getValue().get("cos").get(pair).floatValue(), cos[start + pair], tolerance, place);
                    assertEquals(row.getValue().get("sin").get(pair).floatValue(), sin[start + pair], tolerance, place);
                }
            }
        }));
    }

    private Stream<Map.Entry<String, JsonNode>> cases() throws IOException {
        try (InputStream in = RopeGoldenTest.class.getResourceAsStream("/rope-golden.json")) {
            return MAPPER.readTree(in).get("cases").properties().stream();
        }
    }

    /** The case's configuration, by way of the file that a checkpoint would hold. */
    private LlamaConfig read(JsonNode golden) throws IOException {
        int headDim = golden.get("head_dim").intValue();
        Map<String, Object> json = Map.ofEntries(Map.entry("model_type", "llama"), Map.entry("vocab_size", 8),
                Map.entry("hidden_size", 4 * headDim), Map.entry("intermediate_size", 8), Map.entry("num_hidden_layers", 1),
                Map.entry("num_attention_heads", 4), Map.entry("head_dim", headDim), Map.entry("rope_theta", golden.get("rope_theta")),
                Map.entry("rope_scaling", golden.get("rope_scaling")),
                Map.entry("max_position_embeddings", golden.get("max_position_embeddings")));
        Path file = Files.createTempFile(folder, "config", ".json");
        MAPPER.writeValue(file.toFile(), json);
        return LlamaConfig.read(file);
    }
}
