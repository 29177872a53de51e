package io.github.bts4j.stitch;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.llama.DocumentMask;
import java.util.List;
import java.util.Optional;

/**
 * How a training pass is computed. Checkpointing and the cache do not change the result, apart from the rounding that {@link FrozenStateCache} describes. The mask
 * does.
 *
 * @param checkpointing which activations are kept, and which are recomputed; a block is the layers of one stream between two stitches
 * @param frozenStateCache cache of the states below the first stitch, if there is one
 * @param documentMask restricts attention to tokens of the same document, if present
 */
public record PassOptions(ActivationCheckpointing checkpointing, Optional<FrozenStateCache> frozenStateCache, Optional<DocumentMask> documentMask) {
    private static final int FEWEST_TOKENS = 520;
    private static final int MOST_TOKENS = 1040;
    private static final long KEPT_BYTES = 256 << 20;
    /** No cache, all activations are kept, and attention covers the whole sequence. */
    public static final PassOptions DEFAULT = new PassOptions(ActivationCheckpointing.OFF, Optional.empty(), Optional.empty());

    /**
     * A copy with another choice of activations.
     *
     * @param checkpointing which activations are kept
     * @return a changed copy
     */
    public PassOptions withCheckpointing(ActivationCheckpointing checkpointing) {
        return new PassOptions(checkpointing, frozenStateCache, documentMask);
    }

    /**
     * A copy with a cache of frozen states.
     *
     * @param frozenStateCache the cache, which the caller closes
     * @return a changed copy
     */
    public PassOptions withFrozenStateCache(FrozenStateCache frozenStateCache) {
        return new PassOptions(checkpointing, Optional.of(frozenStateCache), documentMask);
    }

    /**
     * A copy with attention within documents only.
     *
     * @param documentMask how documents are separated
     * @return a changed copy
     */
    public PassOptions withDocumentMask(DocumentMask documentMask) {
        return new PassOptions(checkpointing, frozenStateCache, Optional.of(documentMask));
    }

    /**
     * The number of sequences in a slice on the CPU, where large batches are processed in slices, so that activations take less memory: about 520 tokens, and up to 1,040 while the layers keep at
     * most 256 MiB of them, since products of more rows are faster, most of all those of small layers.
     *
     * @param batch sequences of a batch
     * @param width tokens of a sequence
     * @param models the hub and the experts
     * @param precision what the pass computes in
     * @param stitches the stitch layers
     * @return sequences of a slice
     */
    public static int cpuRows(int batch, int width, List<LlamaConfig> models, Precision precision, StitchConfig stitches) {
        long bytes = 0;
        for (LlamaConfig model : models) {
            bytes += keptValues(model) * (model.numLayers() - stitches.afterLayers().get(0)) * precision.bytes();
        }
        long tokens = Math.max(FEWEST_TOKENS, Math.min(MOST_TOKENS, KEPT_BYTES / Math.max(1, bytes)));
        return (int) Math.min(batch, Math.max(1, tokens / width));
    }

    /**
     * The number of values that a frozen layer with a backward pass of its own keeps of each token: its states, queries, keys, values and feed-forward products.
     *
     * @param model the layer's model
     * @return values per token
     */
    public static long keptValues(LlamaConfig model) {
        return 2L * model.hiddenSize() + model.queryWidth() + 2L * model.keyValueWidth() + 2L * model.intermediateSize();
    }
}
