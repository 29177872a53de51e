package io.github.bts4j.stitch;

import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.llama.DocumentMask;
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
    private static final int CPU_TOKENS_PER_PASS = 520;
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
     * The number of sequences in a slice on the CPU, where large batches are processed in slices: matrix products are as fast, and activations take less memory.
     *
     * @param batch sequences of a batch
     * @param width tokens of a sequence
     * @return sequences of a slice
     */
    public static int cpuRows(int batch, int width) {
        return Math.min(batch, Math.max(1, CPU_TOKENS_PER_PASS / width));
    }
}
