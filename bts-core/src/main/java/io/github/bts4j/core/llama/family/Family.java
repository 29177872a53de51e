package io.github.bts4j.core.llama.family;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The model families: each constant says in what its checkpoints and its computation differ from Llama's. Whatever reads, computes, plans or writes a model
 * takes it from here.
 */
public enum Family {
    /** Llama 2, 3 and what has their shape. */
    LLAMA(new Spec("Llama", "llama", "LlamaForCausalLM", "llama").biases(Spec.Biases.BY_KEY).unknownKeysTolerated()
            .tensorNames(names -> names.inPairs()).defaults(new Defaults(2048, 1e-6, 10_000, 0, false))),

    /** Mistral, Mathstral: a sliding window in every layer. */
    MISTRAL(new Spec("Mistral", "mistral", "MistralForCausalLM", "llama").biases(Spec.Biases.NONE).windows(Windows.EVERY_LAYER)
            .tensorNames(names -> names.inPairs()).keys("sliding_window", "layer_types").defaults(new Defaults(131_072, 1e-6, 10_000, 0, false))),

    /** Qwen2, Qwen2.5: biases of queries, keys and values; a sliding window in the upper layers where it is asked for. */
    QWEN2(new Spec("Qwen2", "qwen2", "Qwen2ForCausalLM", "qwen2").biases(Spec.Biases.QUERY_KEY_VALUE).windows(Windows.UPPER_LAYERS)
            .keys("sliding_window", "use_sliding_window", "max_window_layers", "layer_types").defaults(new Defaults(32_768, 1e-6, 10_000, 0, false))),

    /** Qwen3: norms of each head's queries and keys. */
    QWEN3(new Spec("Qwen3", "qwen3", "Qwen3ForCausalLM", "qwen3").biases(Spec.Biases.ATTENTION_BY_KEY).windows(Windows.UPPER_LAYERS).headNorms(HeadNorms.EACH_HEAD)
            .keys("sliding_window", "use_sliding_window", "max_window_layers", "layer_types").defaults(new Defaults(32_768, 1e-6, 10_000, 128, false))),

    /** SmolLM3: layers without rotary embedding. */
    SMOLLM3(new Spec("SmolLM3", "smollm3", "SmolLM3ForCausalLM", "smollm3").biases(Spec.Biases.BY_KEY).windows(Windows.UNROTATED_LAYERS).unrotatedLayers()
            .tensorNames(names -> names.inPairs()).keys("no_rope_layers", "no_rope_layer_interval", "sliding_window", "use_sliding_window", "layer_types", "pretraining_tp")
            .defaults(new Defaults(32_768, 1e-6, 2_000_000, 0, true))),

    /** Granite 3: factors of embeddings, branches, scores and logits. */
    GRANITE(new Spec("Granite", "granite", "GraniteForCausalLM", "granite").biases(Spec.Biases.BY_KEY).multipliers().tensorNames(names -> names.inPairs())
            .keys("embedding_multiplier", "residual_multiplier", "attention_multiplier", "logits_scaling").defaults(new Defaults(2048, 1e-6, 10_000, 0, false))),

    /** OLMo 2: norms behind attention and feed-forward network instead of before them, norms over all queries and all keys. */
    OLMO2(new Spec("OLMo 2", "olmo2", "Olmo2ForCausalLM", "olmo2").biases(Spec.Biases.ATTENTION_BY_KEY).headNorms(HeadNorms.ALL_HEADS).normWeight(NormWeight.BEFORE_ROUNDING)
            .tensorNames(names -> names.norms("", "post_attention_layernorm", "", "post_feedforward_layernorm")).defaults(new Defaults(2048, 1e-5, 10_000, 0, false))),

    /** Phi-3, Phi-3.5, Phi-4 mini: fused projections, rotation of a part of each head, frequencies for long contexts. */
    PHI3(new Spec("Phi-3", "phi3", "Phi3ForCausalLM", "phi3").biases(Spec.Biases.NONE).windows(Windows.EVERY_LAYER).partialRotation()
            .tensorNames(names -> names.fused()).keys("sliding_window", "partial_rotary_factor", "original_max_position_embeddings", "full_attn_mod", "interpolate_factor")
            .defaults(new Defaults(4096, 1e-5, 10_000, 0, false))),

    /** Gemma 3, text alone: norms with 1 + weight around both branches, GELU, scaled embeddings, local layers with a rotation of their own. */
    GEMMA3(new Spec("Gemma 3", "gemma3_text", "Gemma3ForCausalLM", "gemma3").biases(Spec.Biases.ATTENTION_BY_KEY).windows(Windows.ALL_BUT_EVERY_SIXTH)
            .headNorms(HeadNorms.EACH_HEAD).normWeight(NormWeight.ONE_PLUS).activation(Activation.GELU_TANH).scaledEmbeddings().localRotation()
            .tensorNames(names -> names.norms("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"))
            .keys("hidden_activation", "query_pre_attn_scalar", "sliding_window", "sliding_window_pattern", "_sliding_window_pattern", "layer_types", "rope_local_base_freq")
            .defaults(new Defaults(131_072, 1e-6, 1_000_000, 256, true)));

    private final Spec spec;

    /**
     * What transformers takes where a key is absent.
     *
     * @param context {@code max_position_embeddings}
     * @param eps {@code rms_norm_eps}
     * @param theta {@code rope_theta}
     * @param headDim {@code head_dim}; 0 for hidden_size / num_attention_heads
     * @param tied {@code tie_word_embeddings}
     */
    public record Defaults(int context, double eps, double theta, int headDim, boolean tied) {}

    Family(Spec spec) {
        this.spec = spec;
    }

    /**
     * The family's differences from Llama.
     *
     * @return the declaration
     */
    public Spec spec() {
        return spec;
    }

    /**
     * The family of a {@code model_type}.
     *
     * @param modelType the key's value
     * @return the family; empty if it is not known
     */
    public static Optional<Family> ofModelType(String modelType) {
        return Arrays.stream(values()).filter(family -> family.spec.modelType().equals(modelType)).findFirst();
    }

    /**
     * The family of a GGUF file's {@code general.architecture}: of several, the first one.
     *
     * @param architecture the key's value
     * @return the family; empty if it is not known
     */
    public static Optional<Family> ofGguf(String architecture) {
        return Arrays.stream(values()).filter(family -> family.spec.ggufArchitecture().equals(architecture)).findFirst();
    }

    /**
     * Every {@code model_type}, for messages.
     *
     * @return such as {@code llama, mistral, qwen2}
     */
    public static String modelTypes() {
        return Arrays.stream(values()).map(family -> family.spec.modelType()).collect(Collectors.joining(", "));
    }

    /**
     * Every architecture of GGUF files, for messages.
     *
     * @return such as {@code llama, qwen2}
     */
    public static String ggufArchitectures() {
        return Arrays.stream(values()).map(family -> family.spec.ggufArchitecture()).distinct().collect(Collectors.joining(", "));
    }
}
