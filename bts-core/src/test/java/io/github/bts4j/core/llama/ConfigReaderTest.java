package io.github.bts4j.core.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.llama.rope.RopeScaling;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigReaderTest {
    @TempDir
    private Path path;
    private ConfigFolder folder;

    @BeforeEach
    void makeFolder() {
        folder = new ConfigFolder(path);
    }

    private static LlamaConfigBuilder golden() {
        return bare().bosTokenId(1).eosTokenIds(List.of(2));
    }

    private static LlamaConfigBuilder bare() {
        return LlamaConfig.builder().vocabSize(256).hiddenSize(64).intermediateSize(176).numLayers(3).maxPositionEmbeddings(256);
    }

    @Test
    void readsTheOldSpelling() throws IOException {
        assertEquals(golden().numHeads(4).headDim(16).build(), LlamaConfig.read(ConfigFolder.golden("llama2-mha")));
        LlamaConfig scaled = golden().numHeads(8).numKvHeads(2).headDim(8).maxPositionEmbeddings(512).ropeTheta(500_000)
                .ropeScaling(new RopeScaling.Llama3(8, 1, 4, 64)).tieWordEmbeddings(true).dtype(Precision.BFLOAT16).build();
        assertEquals(scaled, LlamaConfig.read(ConfigFolder.golden("llama32-tied-scaled-bf16")));
    }

    @Test
    void readsTheNewSpelling() throws IOException {
        assertEquals(golden().numHeads(8).numKvHeads(2).build(), LlamaConfig.read(ConfigFolder.golden("llama2-gqa")));
        assertEquals(golden().numHeads(4).numKvHeads(1).ropeTheta(500_000).build(), LlamaConfig.read(ConfigFolder.golden("bts-mqa")));
        LlamaConfig biased = golden().numHeads(4).numKvHeads(2).headDim(32).attentionBias(true).mlpBias(true).dtype(Precision.FLOAT16).build();
        assertEquals(biased, LlamaConfig.read(ConfigFolder.golden("biased-headdim-fp16")));
    }

    @ParameterizedTest
    @CsvSource({"bts-3x4/hub, 4", "bts-3x4/code, 4", "bts-3x4/math, 4", "bts-4x8/hub, 8", "bts-4x8/code, 8", "bts-4x8/math, 8",
        "bts-4x8/multilingual, 8"})
    void readsTheModelsOfAStitch(String name, int layers) throws IOException {
        LlamaConfig expected = golden().vocabSize(160).hiddenSize(48).intermediateSize(96).numLayers(layers).numHeads(4).numKvHeads(2)
                .headDim(12).build();
        assertEquals(expected, LlamaConfig.read(ConfigFolder.golden(name)));
        assertEquals(expected, LlamaConfig.read(ConfigFolder.golden(name).resolve("config.json")));
    }

    @Test
    void absentKeysHaveTransformersDefaults() throws IOException {
        LlamaConfig config = folder.holding("""
                {"model_type": "llama", "vocab_size": 32, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
                 "num_attention_heads": 4, "rope_scaling": null, "head_dim": null, "torch_dtype": null}""").read();
        assertEquals(LlamaConfig.builder().vocabSize(32).hiddenSize(16).intermediateSize(24).numLayers(2).numHeads(4).numKvHeads(4)
                .headDim(4).rmsNormEps(1e-6).ropeTheta(10_000).maxPositionEmbeddings(2048).build(), config);
    }

    @Test
    void readsEveryRopeType() throws IOException {
        OptionalDouble none = OptionalDouble.empty();
        assertEquals(new RopeScaling.Linear(2), scaling("\"type\": \"linear\", \"factor\": 2"));
        assertEquals(new RopeScaling.Linear(2), scaling("\"rope_type\": \"linear\", \"type\": \"linear\", \"factor\": 2.0"));
        assertEquals(new RopeScaling.Dynamic(3), scaling("\"rope_type\": \"dynamic\", \"factor\": 3, \"original_max_position_embeddings\": 64"));
        assertEquals(new RopeScaling.Dynamic(3), scaling("\"rope_type\": \"dynamic\", \"factor\": 3, \"original_max_position_embeddings\": 32"));
        assertEquals(new RopeScaling.Llama3(8, 1, 4, 64),
                scaling("\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1, \"high_freq_factor\": 4"));
        assertEquals(RopeScaling.Yarn.of(16, 4), scaling(
                "\"type\": \"yarn\", \"factor\": 16.0, \"original_max_position_embeddings\": 4, \"finetuned\": true, \"beta_fast\": null"));
        assertEquals(RopeScaling.Yarn.of(4, 16), scaling("\"type\": \"yarn\", \"factor\": null, \"original_max_position_embeddings\": 16"));
        assertEquals(new RopeScaling.Yarn(4, 16, 16, 2, OptionalDouble.of(0.7), none, OptionalDouble.of(1.5), false),
                scaling("\"rope_type\": \"yarn\", \"factor\": 4, \"original_max_position_embeddings\": 16, \"beta_fast\": 16, \"beta_slow\": 2,"
                        + "\"mscale\": 0.7, \"mscale_all_dim\": 0, \"attention_factor\": 1.5, \"truncate\": false"));
        assertEquals(RopeScaling.none(), scaling("\"rope_type\": \"default\", \"rope_theta\": 10000.0, \"partial_rotary_factor\": 1.0"));
        assertEquals(RopeScaling.none(), scaling(""));
    }

    private RopeScaling scaling(String members) throws IOException {
        RopeScaling fromOld = folder.with("{\"rope_scaling\": {" + members + "}}").read().ropeScaling();
        RopeScaling fromNew = folder.with("{\"rope_theta\": null, \"rope_parameters\": {" + members + "}}").read().ropeScaling();
        assertEquals(fromOld, fromNew);
        return fromOld;
    }

    @Test
    void endTokensOfBothFilesAreMerged() throws IOException {
        assertEquals(List.of(2), folder.with("{}").read().eosTokenIds());
        folder.generation("{\"eos_token_id\": [7, 2, 9], \"bos_token_id\": 5, \"temperature\": 0.6}");
        assertEquals(List.of(7, 2, 9), folder.read().eosTokenIds());
        assertEquals(OptionalInt.of(1), folder.read().bosTokenId());
        assertEquals(List.of(7, 2, 9), folder.with("{\"eos_token_id\": [3, 4], \"bos_token_id\": null}").read().eosTokenIds());
        assertEquals(OptionalInt.of(5), folder.read().bosTokenId());
        folder.generation("{}");
        assertEquals(List.of(), folder.with("{\"eos_token_id\": null}").read().eosTokenIds());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{\"hidden_size\": \"16\"} | 'hidden_size' = \"16\": expected an integer of 32 bits, found a string",
        "{\"hidden_size\": 16.0} | 'hidden_size' = 16.0: expected an integer of 32 bits, found a number with a fraction",
        "{\"vocab_size\": 4294967296} | 'vocab_size' = 4294967296: expected an integer of 32 bits, found an integer",
        "{\"rms_norm_eps\": true} | 'rms_norm_eps' = true: expected a number, found a boolean",
        "{\"attention_bias\": 0} | 'attention_bias' = 0: expected true or false, found an integer",
        "{\"model_type\": [\"llama\"]} | 'model_type' = [\"llama\"]: expected a string, found a list",
        "{\"rope_scaling\": 2.0} | 'rope_scaling' = 2.0: expected an object, found a number with a fraction",
        "{\"rope_scaling\": {\"type\": 7}} | 'rope_scaling.type' = 7: expected a string, found an integer",
        "{\"eos_token_id\": {}} | 'eos_token_id' = {}: expected an integer or a list of integers, found an object",
        "{\"eos_token_id\": [2, \"x\"]} | 'eos_token_id' = \"x\": expected an integer or a list of integers, found a string",
        "{\"vocab_size\": null} | 'vocab_size' is missing: expected an integer of 32 bits",
        "{\"num_key_value_heads\": 3} | num_key_value_heads = 3 does not divide num_attention_heads = 4",
        "{\"eos_token_id\": 32} | eos_token_id holds 32, outside 0 .. vocab_size - 1 with vocab_size = 32",
        "{\"model_type\": \"gpt2\"} | 'model_type' = \"gpt2\" is not supported: it must be one of llama, mistral, qwen2, qwen3, smollm3, granite, olmo2, phi3, gemma3_text",
        "{\"model_type\": \"mistral\"} | 'architectures' = [\"LlamaForCausalLM\"] is not supported: only [\"MistralForCausalLM\"] is",
        "{\"model_type\": null} | 'model_type' is missing: it must be one of llama, mistral, qwen2, qwen3, smollm3, granite, olmo2, phi3, gemma3_text",
        "{\"architectures\": [\"LlamaForSequenceClassification\"]} | 'architectures' = [\"LlamaForSequenceClassification\"] is not supported: only [\"LlamaForCausalLM\"] is",
        "{\"hidden_act\": \"gelu\"} | 'hidden_act' = \"gelu\" is not supported: only \"silu\" is",
        "{\"torch_dtype\": \"float8_e4m3fn\"} | 'torch_dtype' = \"float8_e4m3fn\" is not supported: it must be one of float32, float16, bfloat16",
        "{\"dtype\": \"float16\"} | 'torch_dtype' = \"bfloat16\" contradicts 'dtype' = \"float16\"",
        "{\"pretraining_tp\": 2} | 'pretraining_tp' = 2 is not supported: only 1 is",
        "{\"quantization_config\": {\"bits\": 4}} | 'quantization_config' = {\"bits\":4} is not supported: only compressed-tensors with 8 bits for each weight, symmetric, a scale for each row, or null is",
        "{\"partial_rotary_factor\": 0.5} | 'partial_rotary_factor' = 0.5 is not supported: only 1 is",
        "{\"sliding_window\": 4096} | 'sliding_window' = 4096 is not supported: only null is",
        "{\"rope_interleaved\": true} | 'rope_interleaved' = true is not supported: only false is",
        "{\"layer_types\": [\"full_attention\", \"sliding_attention\"]} | 'layer_types' = [\"full_attention\",\"sliding_attention\"] is not supported: only a list of \"full_attention\" is",
        "{\"num_local_experts\": 8} | 'num_local_experts' = 8 is not supported: only 0 is",
        "{\"rope_scaling\": {\"type\": \"ntk\", \"factor\": 2}} | rope type 'ntk' is not supported: it must be one of default, linear, dynamic, llama3, yarn, longrope",
        "{\"rope_scaling\": {\"type\": \"longrope\", \"factor\": 2, \"short_factor\": [1]}} | 'rope_scaling.long_factor' is missing: expected a list of numbers",
        "{\"rope_scaling\": {\"type\": \"longrope\", \"long_factor\": [1], \"short_factor\": [1]}} | short_factor has 1 numbers, but 4 rotated values of head_dim have 2 frequencies",
        "{\"rope_scaling\": {\"factor\": 2}} | 'rope_scaling.factor' = 2 is not known for rope type 'default'",
        "{\"rope_scaling\": {\"type\": \"linear\"}} | 'rope_scaling.factor' is missing: expected a number",
        "{\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0.5}} | linear RoPE scaling: factor = 0.5 must be finite and at least 1.0",
        "{\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2, \"new\": 1}} | 'rope_scaling.new' = 1 is not known for rope type 'linear'",
        "{\"rope_scaling\": {\"type\": \"linear\", \"rope_type\": \"dynamic\", \"factor\": 2}} | 'rope_scaling.rope_type' = \"dynamic\" contradicts 'rope_scaling.type' = \"linear\"",
        "{\"rope_scaling\": {\"type\": \"yarn\", \"original_max_position_embeddings\": 16}} | 'rope_scaling.factor' is missing: expected a number",
        "{\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2, \"partial_rotary_factor\": 0.5}} | 'rope_scaling.partial_rotary_factor' = 0.5 is not supported: only 1 is",
        "{\"rope_parameters\": {\"rope_theta\": 5.0}} | 'rope_theta' is given more than once, as [10000.0, 5.0]",
        "{\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}, \"rope_parameters\": {}} | 'rope_scaling' and 'rope_parameters' contradict each other: [Linear[factor=2.0], Default[]]"})
    void refusesByName(String changeAndMessage) throws IOException {
        String[] parts = changeAndMessage.split(" \\| ");
        folder.with(parts[0]);
        String message = assertThrows(ModelFormatException.class, folder::read).getMessage();
        assertTrue(message.contains(path.resolve("config.json").toString()), message);
        assertTrue(message.endsWith(parts[1]), message);
    }

    /** What another software quantised otherwise is not taken for int8 * scale. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"\"symmetric\": true | \"symmetric\": false", "\"num_bits\": 8 | \"num_bits\": 4",
        "\"strategy\": \"channel\" | \"strategy\": \"group\"", "\"input_activations\": null | \"input_activations\": {\"num_bits\": 8}",
        "int-quantized | pack-quantized", "\"type\": \"int\" | \"type\": \"float\"", "\"kv_cache_scheme\": null | \"kv_cache_scheme\": {\"num_bits\": 8}",
        "compressed-tensors | gptq"})
    void refusesOtherQuantizations(String right, String other) throws IOException {
        String config = Files.readString(Path.of(System.getProperty("bts4j.testData"), "int8", "compressed-tensors", "config.json"));
        Files.writeString(path.resolve("config.json"), config);
        assertEquals(96, LlamaConfig.read(path).vocabSize());
        assertTrue(config.contains(right), config);
        Files.writeString(path.resolve("config.json"), config.replace(right, other));
        String message = assertThrows(ModelFormatException.class, () -> LlamaConfig.read(path)).getMessage();
        assertTrue(message.contains("'quantization_config' = "), message);
    }

    @Test
    void listsEveryProblemAtOnce() throws IOException {
        folder.with("{\"hidden_size\": \"16\", \"hidden_act\": \"relu\", \"pretraining_tp\": 4, \"rope_scaling\": {\"type\": \"ntk\"}}");
        assertTrue(assertThrows(ModelFormatException.class, folder::read).getMessage().endsWith("""
                not a configuration that bts4j can load: 4 problems:
                  - 'hidden_act' = "relu" is not supported: only "silu" is
                  - 'hidden_size' = "16": expected an integer of 32 bits, found a string
                  - rope type 'ntk' is not supported: it must be one of default, linear, dynamic, llama3, yarn, longrope
                  - 'pretraining_tp' = 4 is not supported: only 1 is"""));
    }

    @Test
    void longValuesAreCutInMessages() throws IOException {
        folder.with("{\"hidden_size\": \"" + "9".repeat(5000) + "\"}");
        String message = assertThrows(ModelFormatException.class, folder::read).getMessage();
        assertTrue(message.contains("9".repeat(79) + "...: expected an integer") && message.length() < 500, message);
    }

    @Test
    void refusesWhatIsNotOneJsonObject() throws IOException {
        assertBad(ConfigFolder.SMALL.substring(0, 100), "is not valid JSON at line 1, column");
        assertBad("", "expected a JSON object, found nothing");
        assertBad("[1]", "expected a JSON object, found a list");
        assertBad("[".repeat(100_000), "is not valid JSON");
        assertBad(ConfigFolder.SMALL + "{}", "is not valid JSON");
        assertBad("{\"vocab_size\": 3, \"vocab_size\": 4}", "Duplicate field 'vocab_size'");
        assertBad("{\"vocab_size\": " + "9".repeat(5000) + "}", "is not valid JSON");
        assertBad(ConfigFolder.SMALL.replace("1e-5", "1e999"), "rms_norm_eps = Infinity must be finite and greater than 0 in float32");
        assertBad(" ".repeat((16 << 20) + 1), "bytes long, at most 16777216 are read: is it a weight file?");
        folder.holding(ConfigFolder.SMALL).generation("{\"eos_token_id\": ");
        String message = assertThrows(ModelFormatException.class, folder::read).getMessage();
        assertTrue(message.contains("generation_config.json") && message.contains("is not valid JSON"), message);
    }

    private void assertBad(String text, String expected) throws IOException {
        folder.holding(text);
        String message = assertThrows(ModelFormatException.class, folder::read).getMessage();
        assertTrue(message.contains(expected) && message.contains("config.json"), message);
    }

    @Test
    void refusesABadGenerationConfig() throws IOException {
        folder.with("{}").generation("{\"eos_token_id\": \"</s>\"}");
        String message = assertThrows(ModelFormatException.class, folder::read).getMessage();
        assertTrue(message.endsWith("'eos_token_id' = \"</s>\": expected an integer or a list of integers, found a string"), message);
        assertTrue(message.contains("generation_config.json"), message);
    }

    @Test
    void saysWhereAConfigurationIsMissing() {
        String message = assertThrows(ModelFormatException.class, folder::read).getMessage();
        assertTrue(message.endsWith("holds no config.json: is it the folder of a Hugging Face checkpoint?"), message);
        assertThrows(NoSuchFileException.class, () -> LlamaConfig.read(path.resolve("other.json")));
    }

    @Test
    void missingSizesAreNamed() throws IOException {
        folder.without("intermediate_size");
        String message = assertThrows(ModelFormatException.class, folder::read).getMessage();
        assertTrue(message.endsWith("'intermediate_size' is missing: expected an integer of 32 bits"), message);
    }

    @Test
    void logsOnlyKeysThatAreUnknown() throws IOException {
        String known = "{\"use_cache\": true, \"initializer_range\": 0.02, \"attention_dropout\": 0.0, \"pad_token_id\": 0,"
                + "\"transformers_version\": \"4.45.0\", \"_name_or_path\": \"x\", \"is_llama_config\": true, \"rope_interleaved\": false,"
                + "\"transformers.js_config\": {\"dtype\": \"q4\"}, \"sliding_window\": 4096, \"use_sliding_window\": false,"
                + "\"layer_types\": [\"full_attention\"], \"pruned_heads\": {}, \"quantization_config\": null, \"new_thing\": null}";
        assertEquals("", logged(() -> folder.with(known).read()));
        String log = logged(() -> folder.with("{\"new_thing\": 3, \"use_cache\": false}").read());
        assertTrue(log.contains("key 'new_thing' = 3 is unknown and was not used: does the model depend on it?"), log);
        assertEquals(1, log.lines().count(), log);
    }

    private interface Reading {
        LlamaConfig read() throws IOException;
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void aDeviceIsNoConfiguration() {
        String message = assertThrows(ModelFormatException.class, () -> LlamaConfig.read(Path.of("/dev/zero"))).getMessage();
        assertEquals("/dev/zero: is a pipe or a device: a file is needed", message);
    }

    /** Values are a stranger's. */
    @Test
    void valuesAreShownShortAndWithoutControlCharacters() throws IOException {
        for (String key : List.of("model_type", "hidden_act", "torch_dtype", "dtype", "architectures")) {
            folder.with("{\"" + key + "\": \"a\\u001b[31m" + "x".repeat(1_000_000) + "\"}");
            String message = assertThrows(ModelFormatException.class, folder::read).getMessage();
            assertTrue(message.contains("'" + key + "' = \"a\\u001B[31mxxx") && message.length() < 1000, message);
        }
    }

    private static String logged(Reading reading) throws IOException {
        PrintStream before = System.err;
        ByteArrayOutputStream captured = new ByteArrayOutputStream();
        try (PrintStream capture = new PrintStream(captured, true, StandardCharsets.UTF_8)) {
            System.setErr(capture);
            assertEquals(32, reading.read().vocabSize());
        } finally {
            System.setErr(before);
        }
        return captured.toString(StandardCharsets.UTF_8);
    }

    @Test
    void readsAWrittenConfigAgain() throws IOException {
        for (RopeScaling scaling : List.of(RopeScaling.none(), new RopeScaling.Linear(2.5), new RopeScaling.Dynamic(2),
                new RopeScaling.Llama3(8, 1, 4, 8192), RopeScaling.Yarn.of(4, 1024),
                new RopeScaling.Yarn(4, 16, 16, 2, OptionalDouble.of(0.7), OptionalDouble.of(1), OptionalDouble.of(1.5), false))) {
            LlamaConfig config = golden().numHeads(4).numKvHeads(2).headDim(32).attentionBias(true).mlpBias(true).tieWordEmbeddings(true)
                    .ropeTheta(500_000).rmsNormEps(3e-6).ropeScaling(scaling).dtype(Precision.BFLOAT16).eosTokenIds(List.of(2, 9)).build();
            config.write(path);
            assertEquals(config, folder.read());
        }
        LlamaConfig bare = bare().numHeads(4).build();
        bare.write(path.resolve("config.json"));
        assertEquals(bare, folder.read());
    }

    @Test
    void writesTheSpellingThatMostSoftwareReads() throws IOException {
        LlamaPresets.LLAMA_2_7B.withDtype(Precision.BFLOAT16).toBuilder().ropeScaling(new RopeScaling.Llama3(8, 1, 4, 8192)).build().write(path);
        assertEquals(new ObjectMapper().readTree("""
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "vocab_size": 32000,
                 "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
                 "num_key_value_heads": 32, "head_dim": 128, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
                 "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                 "original_max_position_embeddings": 8192}, "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": false,
                 "torch_dtype": "bfloat16", "bos_token_id": 1, "eos_token_id": 2}"""), folder.written());
    }

    @Test
    void writingLeavesNoOtherFileAndNoHalfFile() throws IOException {
        folder.holding("old");
        LlamaPresets.LLAMA_2_7B.write(path);
        assertEquals(List.of("config.json"), names(path));
        assertEquals(LlamaPresets.LLAMA_2_7B, folder.read());
        Path blocked = Files.createDirectories(path.resolve("blocked/config.json/full")).getParent().getParent();
        assertThrows(IOException.class, () -> LlamaPresets.LLAMA_2_7B.write(blocked));
        assertEquals(List.of("config.json"), names(blocked));
        assertThrows(NoSuchFileException.class, () -> LlamaPresets.LLAMA_2_7B.write(path.resolve("no/such/config.json")));
    }

    private static List<String> names(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    /** Jackson takes zero bytes for UTF-32, and then fails with an exception that is not one of its own. */
    @Test
    void bytesThatAreNoTextAreRefused(@TempDir Path other) throws IOException {
        Files.write(other.resolve("config.json"), new byte[] {'{', 0, 0, 0, 0, 'm', 'e', '_', 1, 2, 3, 4});
        String message = assertThrows(ModelFormatException.class, () -> LlamaConfig.read(other)).getMessage();
        assertTrue(message.contains("is not UTF-8 text"), message);
    }
}
