package io.github.bts4j.core.llama;

import io.github.bts4j.core.llama.rope.RopeScaling;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A configuration as the metadata of a GGUF file: the opposite of {@link GgufConfig}. Stateless. */
public final class GgufKeys {
    /** The tensor of {@link #ropeDivisors}. */
    public static final String ROPE_FREQS = GgufConfig.ROPE_FREQS;

    private static final String LLAMA = "llama.";

    private GgufKeys() {}

    /**
     * The metadata of a model.
     *
     * @param config its configuration
     * @return keys and values
     * @throws IllegalArgumentException if llama.cpp's {@code llama} has no keys for it
     */
    public static Map<String, Object> of(LlamaConfig config) {
        Map<String, Object> keys = new LinkedHashMap<>();
        keys.put("general.architecture", "llama");
        keys.put(LLAMA + "context_length", config.maxPositionEmbeddings());
        keys.put(LLAMA + "embedding_length", config.hiddenSize());
        keys.put(LLAMA + "block_count", config.numLayers());
        keys.put(LLAMA + "feed_forward_length", config.intermediateSize());
        keys.put(LLAMA + "attention.head_count", config.numHeads());
        keys.put(LLAMA + "attention.head_count_kv", config.numKvHeads());
        keys.put(LLAMA + "attention.key_length", config.headDim());
        keys.put(LLAMA + "attention.value_length", config.headDim());
        keys.put(LLAMA + "attention.layer_norm_rms_epsilon", (float) config.rmsNormEps());
        keys.put(LLAMA + "vocab_size", config.vocabSize());
        keys.put(LLAMA + "rope.dimension_count", config.headDim());
        keys.put(LLAMA + "rope.freq_base", (float) config.ropeTheta());
        putScaling(keys, config.ropeScaling());
        return keys;
    }

    private static void putScaling(Map<String, Object> keys, RopeScaling scaling) {
        if (scaling instanceof RopeScaling.Linear linear) {
            keys.put(LLAMA + "rope.scaling.type", "linear");
            keys.put(LLAMA + "rope.scaling.factor", (float) linear.factor());
        } else if (scaling instanceof RopeScaling.Yarn yarn && yarn.equals(RopeScaling.Yarn.of(yarn.factor(), yarn.originalMaxPositionEmbeddings()))) {
            keys.put(LLAMA + "rope.scaling.type", "yarn");
            keys.put(LLAMA + "rope.scaling.factor", (float) yarn.factor());
            keys.put(LLAMA + "rope.scaling.original_context_length", yarn.originalMaxPositionEmbeddings());
        } else if (!(scaling instanceof RopeScaling.Default || scaling instanceof RopeScaling.Llama3)) {
            throw new IllegalArgumentException("rope scaling " + scaling + " has no keys in GGUF: none, linear, llama3 and yarn with its usual values have");
        }
    }

    /**
     * The values of the tensor in which llama.cpp keeps llama3 RoPE scaling.
     *
     * @param config the configuration
     * @return a divisor for each frequency; empty for other scalings
     */
    public static Optional<float[]> ropeDivisors(LlamaConfig config) {
        if (!(config.ropeScaling() instanceof RopeScaling.Llama3)) {
            return Optional.empty();
        }
        double[] plain = RopeScaling.none().inverseFrequencies(config.headDim(), config.ropeTheta(), config.maxPositionEmbeddings(), 1);
        double[] scaled = config.ropeScaling().inverseFrequencies(config.headDim(), config.ropeTheta(), config.maxPositionEmbeddings(), 1);
        float[] divisors = new float[plain.length];
        for (int i = 0; i < divisors.length; i++) {
            divisors[i] = (float) (plain[i] / scaled[i]);
        }
        return Optional.of(divisors);
    }
}
