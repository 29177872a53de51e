package io.github.bts4j.stitch;

import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.llama.DocumentMask;
import java.util.Optional;

/**
 * How a training pass is computed. Checkpointing and the cache change nothing in the result, apart from the rounding that {@link FrozenStateCache} describes; the mask
 * does.
 *
 * @param checkpointing which activations are kept, and which are recomputed; a block is the layers of one stream between two stitches
 * @param frozenStateCache where the states that no training changes are kept, if they are
 * @param documentMask whether, and by which mark, tokens attend to those of their own document only
 */
public record PassOptions(ActivationCheckpointing checkpointing, Optional<FrozenStateCache> frozenStateCache, Optional<DocumentMask> documentMask) {
    private static final int CPU_TOKENS_PER_PASS = 520;
    /** Everything is computed in every pass, all activations are kept, and attention goes over all of a sequence. */
    public static final PassOptions DEFAULT = new PassOptions(ActivationCheckpointing.OFF, Optional.empty(), Optional.empty());

    /**
     * The same with another choice of activations.
     *
     * @param checkpointing which activations are kept
     * @return a changed copy
     */
    public PassOptions withCheckpointing(ActivationCheckpointing checkpointing) {
        return new PassOptions(checkpointing, frozenStateCache, documentMask);
    }

    /**
     * The same with a cache of what no training changes.
     *
     * @param frozenStateCache the cache, which the caller closes
     * @return a changed copy
     */
    public PassOptions withFrozenStateCache(FrozenStateCache frozenStateCache) {
        return new PassOptions(checkpointing, Optional.of(frozenStateCache), documentMask);
    }

    /**
     * The same with attention within documents only.
     *
     * @param documentMask how documents are separated
     * @return a changed copy
     */
    public PassOptions withDocumentMask(DocumentMask documentMask) {
        return new PassOptions(checkpointing, frozenStateCache, Optional.of(documentMask));
    }

    /**
     * How many sequences go through together on the CPU, where a batch of many tokens is cut: matrix products are as fast, and activations take less memory.
     *
     * @param batch sequences of a batch
     * @param width tokens of a sequence
     * @return sequences of a slice
     */
    public static int cpuRows(int batch, int width) {
        return Math.min(batch, Math.max(1, CPU_TOKENS_PER_PASS / width));
    }
}
