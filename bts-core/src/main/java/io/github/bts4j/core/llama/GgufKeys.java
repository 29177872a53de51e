package io.github.bts4j.core.llama;

import io.github.bts4j.core.llama.family.Plainness;
import io.github.bts4j.core.llama.rope.RopeScaling;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A configuration as the metadata of a GGUF file: the opposite of {@link GgufConfig}. Stateless. */
public final class GgufKeys {
    /** The tensor of {@link #ropeDivisors}. */
    public static final String ROPE_FREQS = GgufConfig.ROPE_FREQS;

    private GgufKeys() {}

    /**
     * The metadata of a model.
     *
     * @param config its configuration
     * @return keys and values
     * @throws IllegalArgumentException if it is of another kind than these keys describe
     */
    public static Map<String, Object> of(LlamaConfig config) {
        if (!Plainness.isPlain(config.traits())) {
            throw new IllegalArgumentException("a model of type " + config.traits().family().spec().modelType() + " with these settings is not written: " + Plainness.names() + " are");
        }
        String architecture = config.traits().family().spec().ggufArchitecture();
        String prefix = architecture + ".";
        Map<String, Object> keys = new LinkedHashMap<>();
        keys.put("general.architecture", architecture);
        keys.put(prefix + "context_length", config.maxPositionEmbeddings());
        keys.put(prefix + "embedding_length", config.hiddenSize());
        keys.put(prefix + "block_count", config.numLayers());
        keys.put(prefix + "feed_forward_length", config.intermediateSize());
        keys.put(prefix + "attention.head_count", config.numHeads());
        keys.put(prefix + "attention.head_count_kv", config.numKvHeads());
        keys.put(prefix + "attention.key_length", config.headDim());
        keys.put(prefix + "attention.value_length", config.headDim());
        keys.put(prefix + "attention.layer_norm_rms_epsilon", (float) config.rmsNormEps());
        keys.put(prefix + "vocab_size", config.vocabSize());
        keys.put(prefix + "rope.dimension_count", config.headDim());
        keys.put(prefix + "rope.freq_base", (float) config.ropeTheta());
        putScaling(keys, prefix, config.ropeScaling());
        return keys;
    }

    private static void putScaling(Map<String, Object> keys, String prefix, RopeScaling scaling) {
        if (scaling instanceof RopeScaling.Linear linear) {
            keys.put(prefix + "rope.scaling.type", "linear");
            keys.put(prefix + "rope.scaling.factor", (float) linear.factor());
        } else if (scaling instanceof RopeScaling.Yarn yarn && yarn.equals(RopeScaling.Yarn.of(yarn.factor(), yarn.originalMaxPositionEmbeddings()))) {
            keys.put(prefix + "rope.scaling.type", "yarn");
            keys.put(prefix + "rope.scaling.factor", (float) yarn.factor());
            keys.put(prefix + "rope.scaling.original_context_length", yarn.originalMaxPositionEmbeddings());
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
