package io.github.bts4j.core.llama;

import io.github.bts4j.core.llama.rope.RopeScaling;
import java.util.Arrays;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Maps names of {@link LlamaConfig} and {@link RopeScaling} to the keys of {@code config.json}. */
enum ConfigKey {
    VOCAB_SIZE("vocabSize", "vocab_size"),
    HIDDEN_SIZE("hiddenSize", "hidden_size"),
    INTERMEDIATE_SIZE("intermediateSize", "intermediate_size"),
    NUM_LAYERS("numLayers", "num_hidden_layers"),
    NUM_HEADS("numHeads", "num_attention_heads"),
    NUM_KV_HEADS("numKvHeads", "num_key_value_heads"),
    HEAD_DIM("headDim", "head_dim"),
    MAX_POSITION_EMBEDDINGS("maxPositionEmbeddings", "max_position_embeddings"),
    RMS_NORM_EPS("rmsNormEps", "rms_norm_eps"),
    ROPE_THETA("ropeTheta", "rope_theta"),
    ROPE_SCALING("ropeScaling", "rope_scaling"),
    ROPE_PARAMETERS("ropeParameters", "rope_parameters"),
    ATTENTION_BIAS("attentionBias", "attention_bias"),
    MLP_BIAS("mlpBias", "mlp_bias"),
    TIE_WORD_EMBEDDINGS("tieWordEmbeddings", "tie_word_embeddings"),
    TORCH_DTYPE("torchDtype", "torch_dtype"),
    DTYPE("dtype", "dtype"),
    BOS_TOKEN_ID("bosTokenId", "bos_token_id"),
    EOS_TOKEN_ID("eosTokenIds", "eos_token_id"),
    MODEL_TYPE("modelType", "model_type"),
    HIDDEN_ACT("hiddenAct", "hidden_act"),
    ARCHITECTURES("architectures", "architectures"),
    ROPE_TYPE("ropeType", "rope_type"),
    OLD_ROPE_TYPE("type", "type"),
    FACTOR("factor", "factor"),
    LOW_FREQ_FACTOR("lowFreqFactor", "low_freq_factor"),
    HIGH_FREQ_FACTOR("highFreqFactor", "high_freq_factor"),
    ORIGINAL_MAX("originalMaxPositionEmbeddings", "original_max_position_embeddings"),
    BETA_FAST("betaFast", "beta_fast"),
    BETA_SLOW("betaSlow", "beta_slow"),
    MSCALE("mscale", "mscale"),
    MSCALE_ALL_DIM("mscaleAllDim", "mscale_all_dim"),
    ATTENTION_FACTOR("attentionFactor", "attention_factor"),
    TRUNCATE("truncate", "truncate"),
    PARTIAL_ROTARY_FACTOR("partialRotaryFactor", "partial_rotary_factor"),
    SHORT_FACTOR("shortFactor", "short_factor"),
    LONG_FACTOR("longFactor", "long_factor"),
    ROPE_LOCAL_BASE_FREQ("ropeLocalBaseFreq", "rope_local_base_freq"),
    FULL_ATTENTION("fullAttention", "full_attention"),
    SLIDING_ATTENTION("slidingAttention", "sliding_attention"),
    SLIDING_WINDOW("slidingWindow", "sliding_window"),
    USE_SLIDING_WINDOW("useSlidingWindow", "use_sliding_window"),
    MAX_WINDOW_LAYERS("maxWindowLayers", "max_window_layers"),
    SLIDING_WINDOW_PATTERN("slidingWindowPattern", "sliding_window_pattern"),
    SAVED_SLIDING_WINDOW_PATTERN("savedSlidingWindowPattern", "_sliding_window_pattern"),
    LAYER_TYPES("layerTypes", "layer_types"),
    NO_ROPE_LAYERS("noRopeLayers", "no_rope_layers"),
    NO_ROPE_LAYER_INTERVAL("noRopeLayerInterval", "no_rope_layer_interval"),
    EMBEDDING_MULTIPLIER("embeddingMultiplier", "embedding_multiplier"),
    RESIDUAL_MULTIPLIER("residualMultiplier", "residual_multiplier"),
    ATTENTION_MULTIPLIER("attentionMultiplier", "attention_multiplier"),
    LOGITS_SCALING("logitsScaling", "logits_scaling"),
    QUERY_PRE_ATTN_SCALAR("queryPreAttnScalar", "query_pre_attn_scalar"),
    HIDDEN_ACTIVATION("hiddenActivation", "hidden_activation");

    private static final Pattern WORD = Pattern.compile("[A-Za-z]+");

    private final String javaName;
    private final String json;

    ConfigKey(String javaName, String json) {
        this.javaName = javaName;
        this.json = json;
    }

    /** The spelling of {@code config.json}. */
    String json() {
        return json;
    }

    /** The keys of every family and a family's own, for messages. */
    static String known(Set<String> own) {
        return Stream.concat(Arrays.stream(values()).filter(key -> key.compareTo(ROPE_TYPE) < 0).map(ConfigKey::json), own.stream()).collect(Collectors.joining(", "));
    }

    /** Replaces Java names in a message by keys of {@code config.json}. */
    static String inJsonNames(String message) {
        return WORD.matcher(message).replaceAll(word -> Matcher.quoteReplacement(jsonFor(word.group())));
    }

    private static String jsonFor(String word) {
        for (ConfigKey key : values()) {
            if (key.javaName.equals(word)) {
                return key.json;
            }
        }
        return word;
    }
}
