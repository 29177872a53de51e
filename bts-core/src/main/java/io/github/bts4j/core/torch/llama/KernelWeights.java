package io.github.bts4j.core.torch.llama;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.family.Activation;
import io.github.bts4j.core.llama.family.Multipliers;
import io.github.bts4j.core.llama.family.TensorNames;
import io.github.bts4j.core.llama.family.Traits;
import io.github.bts4j.core.rows.Rounding;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.DecoderKernels;
import io.github.bts4j.core.torch.LlamaWeights;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/** A model as the kernels take it. */
public final class KernelWeights {
    private KernelWeights() {
    }

    /**
     * Gathers a model's weights and dimensions.
     *
     * @param kernels kernels that are or extend the decoder's
     * @param mode the autograd mode
     * @param tensors every tensor by its Hugging Face name
     * @param config the model's configuration
     * @param type the type that it computes in
     * @param tied whether the head is the embedding
     * @return the weights, which the caller closes
     */
    public static LlamaWeights of(DecoderKernels kernels, Autograd mode, Map<String, NDArray> tensors, LlamaConfig config, ElementType type, boolean tied) {
        Traits traits = config.traits();
        Map<String, NDArray> named = new LinkedHashMap<>(tensors);
        for (int layer = 0; layer < config.numLayers(); layer++) {
            placeNorms(named, tensors, "model.layers." + layer + ".", traits.family().spec().tensorNames());
        }
        Multipliers multipliers = traits.multipliers();
        long[] sizes = {config.numHeads(), config.numKvHeads(), config.headDim(), traits.family().spec().normWeight().ordinal(),
                traits.family().spec().activation() == Activation.GELU_TANH ? 1 : 0, tied ? 1 : 0};
        long[] windows = IntStream.range(0, config.numLayers()).mapToLong(traits::window).toArray();
        long[] rotations = IntStream.range(0, config.numLayers()).mapToLong(traits::rotation).toArray();
        return kernels.llama(mode, named, sizes, windows, rotations, config.rmsNormEps(), config.attentionScale(), embeddingMultiplier(config, type),
                multipliers.residual(), multipliers.logitsDivisor());
    }

    private static void placeNorms(Map<String, NDArray> named, Map<String, NDArray> tensors, String layer, TensorNames names) {
        Map.of("before_attention", names.beforeAttention(), "after_attention", names.afterAttention(), "before_mlp", names.beforeMlp(), "after_mlp", names.afterMlp())
                .forEach((place, name) -> {
                    if (!name.isEmpty()) {
                        named.put(layer + place, tensors.get(layer + name + ".weight"));
                    }
                });
    }

    /** What embeddings are multiplied by: where it follows from the width, it is rounded to the type first, as in transformers. */
    static double embeddingMultiplier(LlamaConfig config, ElementType type) {
        double multiplier = config.traits().multipliers().embedding();
        return type == ElementType.BFLOAT16 && config.traits().family().spec().hasScaledEmbeddings() ? Rounding.BFLOAT16.round((float) multiplier) : multiplier;
    }
}
