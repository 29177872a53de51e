package io.github.bts4j.core.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaTensorsTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Path PLACE = Path.of("some", "folder");

    @ParameterizedTest
    @ValueSource(strings = {"llama2-mha", "llama2-gqa", "bts-mqa", "llama32-tied-scaled-bf16", "biased-headdim-fp16", "bts-3x4/hub",
        "bts-4x8/multilingual"})
    void tableIsThatOfTheFilesThatTransformersWrote(String name) throws IOException {
        LlamaConfig config = LlamaConfig.read(ConfigFolder.golden(name));
        Map<String, List<Long>> actual = shapesOf(ConfigFolder.golden(name));
        assertEquals(actual, new TreeMap<>(LlamaTensors.shapes(config)));
        assertEquals(List.of(), LlamaTensors.check(config, actual, PLACE));
        long elements = actual.values().stream().mapToLong(shape -> shape.stream().reduce(1L, (a, b) -> a * b)).sum();
        assertEquals(elements, LlamaTensors.parameterCount(config));
    }

    /** The names and shapes in the headers of a checkpoint's files. */
    private static Map<String, List<Long>> shapesOf(Path folder) throws IOException {
        Map<String, List<Long>> shapes = new TreeMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "model*.safetensors")) {
            for (Path file : files) {
                try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
                    JsonNode header = MAPPER.readTree(in.readNBytes((int) Long.reverseBytes(in.readLong())));
                    header.properties().stream().filter(tensor -> !tensor.getKey().equals("__metadata__")).forEach(tensor -> {
                        List<Long> shape = new ArrayList<>();
                        tensor.getValue().get("shape").forEach(size -> shape.add(size.longValue()));
                        shapes.put(tensor.getKey(), shape);
                    });
                }
            }
        }
        return shapes;
    }

    @Test
    void tableIsInTheOrderOfTheModel() {
        LlamaConfig config = LlamaConfig.builder().vocabSize(5).hiddenSize(4).intermediateSize(6).numLayers(2).numHeads(2).numKvHeads(1)
                .mlpBias(true).build();
        List<String> names = List.copyOf(LlamaTensors.shapes(config).keySet());
        assertEquals("model.embed_tokens.weight", names.get(0));
        assertEquals(List.of("model.layers.0.input_layernorm.weight", "model.layers.0.self_attn.q_proj.weight",
                "model.layers.0.self_attn.k_proj.weight", "model.layers.0.self_attn.v_proj.weight", "model.layers.0.self_attn.o_proj.weight",
                "model.layers.0.post_attention_layernorm.weight", "model.layers.0.mlp.gate_proj.weight", "model.layers.0.mlp.gate_proj.bias",
                "model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.bias", "model.layers.0.mlp.down_proj.weight",
                "model.layers.0.mlp.down_proj.bias"), names.subList(1, 13));
        assertEquals(List.of("model.norm.weight", "lm_head.weight"), names.subList(25, 27));
        assertThrows(UnsupportedOperationException.class, () -> LlamaTensors.shapes(config).clear());
    }

    @Test
    void redundantTensorsAreAllowedAndReported() throws IOException {
        Path folder = ConfigFolder.golden("llama32-tied-scaled-bf16");
        LlamaConfig config = LlamaConfig.read(folder);
        Map<String, List<Long>> actual = shapesOf(folder);
        actual.put("model.layers.0.self_attn.rotary_emb.inv_freq", List.of(4L));
        actual.put("lm_head.weight", List.of(256L, 64L));
        assertEquals(List.of("lm_head.weight", "model.layers.0.self_attn.rotary_emb.inv_freq"), LlamaTensors.check(config, actual, PLACE));
        actual.put("lm_head.weight", List.of(250L, 64L));
        assertEquals(heading() + ": Tensor 'lm_head.weight' has shape [250, 64], config.json implies [256, 64] (vocab_size 256, hidden_size 64):"
                + " are both from the same checkpoint?", messageOf(config, actual));
        String message = assertThrows(ModelFormatException.class, () -> LlamaTensors.check(config, actual, PLACE, "the metadata")).getMessage();
        assertTrue(message.contains("tensors do not fit the metadata: Tensor 'lm_head.weight' has shape [250, 64], the metadata implies [256, 64]"), message);
    }

    @Test
    void everyMisfitIsListedAtOnce() throws IOException {
        Path folder = ConfigFolder.golden("llama2-gqa");
        LlamaConfig config = LlamaConfig.read(folder);
        Map<String, List<Long>> actual = shapesOf(folder);
        actual.remove("model.norm.weight");
        actual.remove("lm_head.weight");
        actual.put("model.embed_tokens.weight", List.of(250L, 64L));
        actual.put("model.layers.1.self_attn.q_proj.weight", List.of(64L, 32L));
        actual.put("model.layers.2.self_attn.k_proj.weight", List.of(64L, 64L));
        actual.put("model.layers.2.mlp.down_proj.weight", List.of(64L));
        actual.put("model.layers.0.self_attn.q_proj.bias", List.of(64L));
        actual.put("model.layers.0.mlp.up_proj.bias", List.of(176L));
        actual.put("model.layers.3.input_layernorm.weight", List.of(64L));
        actual.put("score.weight", List.of(2L, 64L));
        String same = ": are both from the same checkpoint?";
        assertEquals(heading() + ": 10 problems:"
                + "\n  - Tensor 'model.embed_tokens.weight' has shape [250, 64], config.json implies [256, 64] (vocab_size 256, hidden_size 64)" + same
                + "\n  - Tensor 'model.layers.1.self_attn.q_proj.weight' has shape [64, 32], config.json implies [64, 64]"
                + " (num_attention_heads 8 x head_dim 8, hidden_size 64)" + same
                + "\n  - Tensor 'model.layers.2.self_attn.k_proj.weight' has shape [64, 64], config.json implies [16, 64]"
                + " (num_key_value_heads 2 x head_dim 8, hidden_size 64)" + same
                + "\n  - Tensor 'model.layers.2.mlp.down_proj.weight' has shape [64], config.json implies [64, 176]"
                + " (intermediate_size 176, hidden_size 64)" + same
                + "\n  - Tensor 'model.norm.weight' [64] is missing"
                + "\n  - Tensor 'lm_head.weight' [256, 64] is missing (tie_word_embeddings is false in config.json: should it be true?)"
                + "\n  - Tensor 'model.layers.0.mlp.up_proj.bias' [176] is not part of the model (mlp_bias is false in config.json)"
                + "\n  - Tensor 'model.layers.0.self_attn.q_proj.bias' [64] is not part of the model (attention_bias is false in config.json)"
                + "\n  - Tensor 'model.layers.3.input_layernorm.weight' [64] is not part of the model (num_hidden_layers 3)"
                + "\n  - Tensor 'score.weight' [2, 64] is not part of the model", messageOf(config, actual));
    }

    /** A tensor's name is the file's own, whatever it holds. */
    @Test
    void whatTheConfigurationComesFromIsNamedThroughout() throws IOException {
        Path folder = ConfigFolder.golden("llama2-gqa");
        Map<String, List<Long>> actual = shapesOf(folder);
        actual.remove("lm_head.weight");
        actual.put("config.json", List.of(1L));
        actual.put("model.layers.0.mlp.up_proj.bias", List.of(176L));
        actual.put("model.layers.0.self_attn.q_proj.bias", List.of(64L));
        String message = assertThrows(ModelFormatException.class, () -> LlamaTensors.check(LlamaConfig.read(folder), actual, PLACE, "the metadata")).getMessage();
        assertEquals("tensors do not fit the metadata: 4 problems:"
                + "\n  - Tensor 'lm_head.weight' [256, 64] is missing (tie_word_embeddings is false in the metadata: should it be true?)"
                + "\n  - Tensor 'config.json' [1] is not part of the model"
                + "\n  - Tensor 'model.layers.0.mlp.up_proj.bias' [176] is not part of the model (mlp_bias is false in the metadata)"
                + "\n  - Tensor 'model.layers.0.self_attn.q_proj.bias' [64] is not part of the model (attention_bias is false in the metadata)", message.substring(message.indexOf("tensors do")));
    }

    private static String heading() {
        return "tensors do not fit config.json";
    }

    private static String messageOf(LlamaConfig config, Map<String, List<Long>> actual) {
        String message = assertThrows(ModelFormatException.class, () -> LlamaTensors.check(config, actual, PLACE)).getMessage();
        assertTrue(message.contains(PLACE.toString()) && message.contains(heading()), message);
        return message.substring(message.indexOf(heading()));
    }

    @Test
    void presetsHaveThePublishedSizes() {
        assertEquals(6_738_415_616L, LlamaTensors.parameterCount(LlamaPresets.LLAMA_2_7B));
        assertEquals(13_015_864_320L, LlamaTensors.parameterCount(LlamaPresets.LLAMA_2_13B));
        assertEquals(68_976_648_192L, LlamaTensors.parameterCount(LlamaPresets.LLAMA_2_70B));
    }

    /** The paper says 2.7B. Its sizes give that without embedding tables only. */
    @Test
    void theSeedOfThePaperHasItsSizeWithoutEmbeddingTables() {
        long table = 128_000L * 3072;
        long blocks = 20L * (2 * 3072 * 3072 + 2 * 3072 * 128 + 3 * 3072 * 12_288 + 2 * 3072) + 3072;
        assertEquals(2_658_266_112L, blocks);
        assertEquals(2.7, Math.round(blocks / 1e8) / 10.0);
        assertEquals(blocks + 2 * table, LlamaTensors.parameterCount(LlamaPresets.BTS_SEED_2_7B));
        assertEquals(3_444_698_112L, LlamaTensors.parameterCount(LlamaPresets.BTS_SEED_2_7B));
        assertEquals(3_051_482_112L, LlamaTensors.parameterCount(LlamaPresets.BTS_SEED_2_7B.withTieWordEmbeddings(true)));
    }

    /** Counts that the models' pages on the hub state. */
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "Llama 3.1 8B, 128256, 4096, 14336, 32, 32, 8, false, 8030261248",
        "Llama 3.2 1B, 128256, 2048, 8192, 16, 32, 8, true, 1235814400",
        "TinyLlama 1.1B, 32000, 2048, 5632, 22, 32, 4, false, 1100048384",
        "SmolLM2 135M, 49152, 576, 1536, 30, 9, 3, true, 134515008"})
    void otherModelsHaveTheirPublishedSizes(String name, int vocab, int hidden, int inner, int layers, int heads, int kvHeads, boolean tied,
            long count) {
        assertEquals(count, LlamaTensors.parameterCount(LlamaConfig.builder().vocabSize(vocab).hiddenSize(hidden).intermediateSize(inner)
                .numLayers(layers).numHeads(heads).numKvHeads(kvHeads).tieWordEmbeddings(tied).build()), name);
    }
}
