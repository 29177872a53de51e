package io.github.bts4j.stitch;

import io.github.bts4j.core.torch.ActivationCheckpointing;
import java.util.Optional;

/**
 * How a training pass is computed. Neither choice changes what is computed, apart from the rounding that {@link PrefixCache} describes.
 *
 * @param checkpointing which activations are kept, and which are computed again; a block is the layers of one stream between two stitches
 * @param prefixCache where the streams before the first stitch are kept, if they are
 */
public record PassOptions(ActivationCheckpointing checkpointing, Optional<PrefixCache> prefixCache) {
    private static final int CPU_TOKENS_PER_PASS = 520;
    /** Everything is computed in every pass, and all activations are kept. */
    public static final PassOptions DEFAULT = new PassOptions(ActivationCheckpointing.OFF, Optional.empty());

    /**
     * The same with another choice of activations.
     *
     * @param checkpointing which activations are kept
     * @return a changed copy
     */
    public PassOptions withCheckpointing(ActivationCheckpointing checkpointing) {
        return new PassOptions(checkpointing, prefixCache);
    }

    /**
     * The same with a cache of the streams before the first stitch.
     *
     * @param prefixCache the cache, which the caller closes
     * @return a changed copy
     */
    public PassOptions withPrefixCache(PrefixCache prefixCache) {
        return new PassOptions(checkpointing, Optional.of(prefixCache));
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
