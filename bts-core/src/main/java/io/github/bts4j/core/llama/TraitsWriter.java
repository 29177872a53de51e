package io.github.bts4j.core.llama;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.llama.family.Multipliers;
import io.github.bts4j.core.llama.family.Spec;
import io.github.bts4j.core.llama.family.Traits;
import io.github.bts4j.core.llama.family.Windows;
import io.github.bts4j.core.llama.rope.LongRope;
import java.util.stream.IntStream;

/** Writes into {@code config.json} what a model's family has beside Llama's keys. */
final class TraitsWriter {
    private TraitsWriter() {
    }

    static void put(ObjectNode json, LlamaConfig config) {
        Traits traits = config.traits();
        Spec spec = traits.family().spec();
        putBiases(json, config, spec.biases());
        putWindows(json, config, spec.windows());
        if (spec.hasUnrotatedLayers()) {
            IntStream.range(0, config.numLayers()).map(layer -> traits.unrotatedLayers().contains(layer) ? 0 : 1).forEach(json.putArray(ConfigKey.NO_ROPE_LAYERS.json())::add);
        }
        if (spec.hasPartialRotation()) {
            json.put(ConfigKey.PARTIAL_ROTARY_FACTOR.json(), partialRotation(traits.rotatedDim().orElse(config.headDim()), config.headDim()));
            json.put(ConfigKey.ORIGINAL_MAX.json(), config.ropeScaling() instanceof LongRope stretched ? stretched.originalMaxPositionEmbeddings() : config.maxPositionEmbeddings());
        }
        if (spec.hasLocalRotation()) {
            json.put(ConfigKey.ROPE_LOCAL_BASE_FREQ.json(), traits.localTheta());
        }
        Multipliers multipliers = traits.multipliers();
        if (spec.hasMultipliers()) {
            json.put(ConfigKey.EMBEDDING_MULTIPLIER.json(), multipliers.embedding());
            json.put(ConfigKey.RESIDUAL_MULTIPLIER.json(), multipliers.residual());
            json.put(ConfigKey.ATTENTION_MULTIPLIER.json(), config.attentionScale());
            json.put(ConfigKey.LOGITS_SCALING.json(), multipliers.logitsDivisor());
        }
        if (spec.hasScaledEmbeddings()) {
            json.put(ConfigKey.QUERY_PRE_ATTN_SCALAR.json(), Math.round(1 / (config.attentionScale() * config.attentionScale())));
        }
    }

    /** A factor that gives the number back when the product is cut. */
    private static double partialRotation(int rotated, int headDim) {
        double factor = (double) rotated / headDim;
        return (int) (headDim * factor) < rotated ? Math.nextUp(factor) : factor;
    }

    private static void putBiases(ObjectNode json, LlamaConfig config, Spec.Biases biases) {
        if (biases == Spec.Biases.BY_KEY || biases == Spec.Biases.ATTENTION_BY_KEY) {
            json.put(ConfigKey.ATTENTION_BIAS.json(), config.attentionBias());
        }
        if (biases == Spec.Biases.BY_KEY) {
            json.put(ConfigKey.MLP_BIAS.json(), config.mlpBias());
        }
    }

    private static void putWindows(ObjectNode json, LlamaConfig config, Windows windows) {
        Traits traits = config.traits();
        if (windows == Windows.NONE) {
            return;
        }
        if (traits.window() == 0) {
            json.putNull(ConfigKey.SLIDING_WINDOW.json());
        } else {
            json.put(ConfigKey.SLIDING_WINDOW.json(), traits.window());
        }
        if (windows == Windows.UPPER_LAYERS || windows == Windows.UNROTATED_LAYERS) {
            json.put(ConfigKey.USE_SLIDING_WINDOW.json(), traits.window() > 0);
        }
        if (windows != Windows.EVERY_LAYER) {
            TraitsReader.layerTypes(traits, config.numLayers()).forEach(json.putArray(ConfigKey.LAYER_TYPES.json())::add);
        }
    }
}
