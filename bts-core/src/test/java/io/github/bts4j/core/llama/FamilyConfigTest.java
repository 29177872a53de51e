package io.github.bts4j.core.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.llama.family.Family;
import io.github.bts4j.core.llama.family.Traits;
import io.github.bts4j.core.llama.rope.LongRope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What config.json says of a family: published files, absent keys, and what is refused. */
class FamilyConfigTest {
    @TempDir Path path;
    private ConfigFolder folder;

    @BeforeEach
    void folder() {
        folder = new ConfigFolder(path);
    }

    /** Without architectures, with other keys. */
    private LlamaConfig read(String type, String more) throws IOException {
        return folder.with("{\"architectures\": null, \"hidden_act\": null, \"model_type\": \"" + type + "\"" + more + "}").read();
    }

    /** The shapes of Qwen/Qwen2.5-0.5B's config.json: 494,032,768 parameters (its model card: 0.49 billion; transformers counts this number). */
    @Test
    void qwen25HasItsPublishedNumberOfParameters() throws IOException {
        LlamaConfig config = folder.holding("""
                {"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643, "eos_token_id": 151643, "hidden_act": "silu", "hidden_size": 896,
                 "initializer_range": 0.02, "intermediate_size": 4864, "max_position_embeddings": 32768, "max_window_layers": 24, "model_type": "qwen2", "num_attention_heads": 14,
                 "num_hidden_layers": 24, "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 32768, "tie_word_embeddings": true,
                 "torch_dtype": "bfloat16", "transformers_version": "4.40.1", "use_cache": true, "use_mrope": false, "use_sliding_window": false, "vocab_size": 151936}""").read();
        assertEquals(494_032_768, LlamaTensors.parameterCount(config));
        assertEquals(Traits.of(Family.QWEN2), config.traits());
        assertTrue(config.attentionBias());
        assertTrue(!config.outputBias());
    }

    /** google/gemma-3-1b-it: 999,885,952 parameters. */
    @Test
    void gemma3HasItsPublishedNumberOfParameters() throws IOException {
        LlamaConfig config = folder.holding("""
                {"architectures": ["Gemma3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "attn_logit_softcapping": null, "bos_token_id": 2, "cache_implementation": "hybrid",
                 "eos_token_id": [1, 106], "final_logit_softcapping": null, "head_dim": 256, "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 1152, "initializer_range": 0.02,
                 "intermediate_size": 6912, "max_position_embeddings": 32768, "model_type": "gemma3_text", "num_attention_heads": 4, "num_hidden_layers": 26, "num_key_value_heads": 1,
                 "pad_token_id": 0, "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-06, "rope_local_base_freq": 10000, "rope_scaling": null, "rope_theta": 1000000,
                 "sliding_window": 512, "sliding_window_pattern": 6, "torch_dtype": "bfloat16", "transformers_version": "4.50.0.dev0", "use_cache": true, "vocab_size": 262144}""").read();
        assertEquals(999_885_952, LlamaTensors.parameterCount(config));
        assertTrue(config.tieWordEmbeddings());
        assertEquals(512, config.traits().window(0));
        assertEquals(0, config.traits().window(5));
        assertEquals(22, config.traits().windowedLayers().size());
        assertEquals(1.0 / 16, config.attentionScale());
        assertEquals(List.of(1_000_000.0, 10_000.0), config.ropes().stream().map(rope -> rope.theta()).toList());
    }

    @Test
    void absentKeysHaveTransformersDefaults() throws IOException {
        assertEquals(4096, read("mistral", "").traits().window(1));
        assertEquals(List.of(), read("mistral", ", \"sliding_window\": null").traits().windowedLayers());
        assertEquals(128, read("qwen3", "").headDim());
        assertEquals(List.of(3, 7), read("smollm3", ", \"num_hidden_layers\": 8").traits().unrotatedLayers());
        assertTrue(read("smollm3", "").tieWordEmbeddings());
        assertEquals(1, read("granite", "").attentionScale());
        assertEquals(List.of(), read("phi3", "").traits().windowedLayers());
        assertEquals(256, read("gemma3_text", "").headDim());
        assertEquals(4, read("gemma3_text", "").traits().multipliers().embedding()); // the root of 16
    }

    /** microsoft/Phi-3.5-mini's way: the trained length beside the scaling, whose type is "longrope" (once "su"), and no factor. */
    @Test
    void longropeTakesTheTrainedLengthFromBesideIt() throws IOException {
        for (String type : List.of("longrope", "su")) {
            LlamaConfig config = read("phi3", ", \"original_max_position_embeddings\": 16, \"partial_rotary_factor\": 0.5, \"rope_scaling\": {\"type\": \"" + type
                    + "\", \"short_factor\": [1.5], \"long_factor\": [4]}");
            assertEquals(new LongRope(List.of(1.5), List.of(4.0), 16, Math.sqrt(1 + Math.log(4) / Math.log(16))), config.ropeScaling());
            assertEquals(OptionalInt.of(2), config.traits().rotatedDim());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "qwen2 | \"new_trick\": 7 | 'new_trick' = 7 is not known: of qwen2 the keys vocab_size, hidden_size, intermediate_size, num_hidden_layers, num_attention_heads,"
            + " num_key_value_heads, head_dim, max_position_embeddings, rms_norm_eps, rope_theta, rope_scaling, rope_parameters, attention_bias, mlp_bias, tie_word_embeddings,"
            + " torch_dtype, dtype, bos_token_id, eos_token_id, model_type, hidden_act, architectures, layer_types, max_window_layers, sliding_window, use_sliding_window are",
        "mistral | \"attention_bias\": true | 'attention_bias' = true is not supported: only false is",
        "qwen2 | \"mlp_bias\": true | 'mlp_bias' = true is not supported: only false is",
        "qwen2 | \"use_mrope\": true | 'use_mrope' = true is not supported: only false is",
        "qwen2 | \"layer_types\": [\"full_attention\", \"sliding_attention\"] | 'layer_types' holds \"sliding_attention\" without a 'sliding_window' in use",
        "qwen2 | \"layer_types\": [\"full_attention\"] | 'layer_types' has 1 entries, num_hidden_layers is 2",
        "qwen3 | \"layer_types\": [\"linear_attention\", \"full_attention\"] | 'layer_types' holds \"linear_attention\": only \"full_attention\" and \"sliding_attention\" are supported",
        "mistral | \"layer_types\": [\"full_attention\", \"sliding_attention\"] | 'layer_types' = [\"full_attention\",\"sliding_attention\"] is not supported: every layer of this family has the"
            + " 'sliding_window', or none has",
        "mistral | \"sliding_window\": -1 | 'sliding_window' = -1 must be at least 1, or null",
        "olmo2 | \"sliding_window\": 8 | 'sliding_window' = 8 is not supported: only null is",
        "smollm3 | \"no_rope_layers\": [1] | 'no_rope_layers' has 1 numbers, num_hidden_layers is 2",
        "smollm3 | \"no_rope_layer_interval\": 0 | 'no_rope_layer_interval' = 0 must be at least 1",
        "granite | \"residual_multiplier\": 0 | 'residual_multiplier' = 0.0 must be finite and greater than 0 in float32",
        "qwen2 | \"embedding_multiplier\": 12 | 'embedding_multiplier' = 12 is not supported: only 1 is",
        "qwen2 | \"partial_rotary_factor\": 0.5 | 'partial_rotary_factor' = 0.5 is not supported: only 1 is",
        "phi3 | \"partial_rotary_factor\": 0.75 | partial_rotary_factor rotates 3 of head_dim = 4: an even number up to all of them is wanted",
        "gemma3_text | \"final_logit_softcapping\": 30 | 'final_logit_softcapping' = 30 is not supported: only null is",
        "gemma3_text | \"use_bidirectional_attention\": true | 'use_bidirectional_attention' = true is not supported: only false is",
        "gemma3_text | \"hidden_activation\": \"relu\" | 'hidden_activation' = \"relu\" is not supported: only \"gelu_pytorch_tanh\" is",
        "gemma3_text | \"query_pre_attn_scalar\": 0 | 'query_pre_attn_scalar' = 0.0 must be greater than 0, and its root finite in float32",
        "gemma3_text | \"rope_parameters\": {\"chunked_attention\": {}} | 'rope_parameters.chunked_attention' is not known: only full_attention and sliding_attention are"})
    void refusesByName(String familyChangeAndMessage) {
        String[] parts = familyChangeAndMessage.split(" \\| ");
        String message = assertThrows(ModelFormatException.class, () -> read(parts[0], ", " + parts[1])).getMessage();
        assertTrue(message.endsWith(parts[2]), message);
    }

    @Test
    void numbersOfLayersRepeatThePattern() throws IOException {
        LlamaConfig config = read("smollm3", ", \"num_hidden_layers\": 4");
        assertEquals(List.of(3, 7), config.withNumLayers(9).traits().unrotatedLayers());
        assertEquals(List.of(), config.withNumLayers(2).traits().unrotatedLayers());
        assertEquals(config, config.withNumLayers(9).withNumLayers(4));
    }

    @Test
    void theTableIsConsistent() {
        for (Family family : Family.values()) {
            assertEquals(family, Family.ofModelType(family.spec().modelType()).orElseThrow());
            assertTrue(Family.ofGguf(family.spec().ggufArchitecture()).isPresent());
        }
    }
}
