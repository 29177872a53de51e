package io.github.bts4j.core.torch;

/**
 * Which activations of a training pass are kept until its backward pass (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016). The gradients
 * are the same, to the bit on one thread: recomputation uses the same operations.
 */
public enum ActivationCheckpointing {
    /** All are kept, which is fastest. */
    OFF,
    /** Those of the last third of the blocks, which the backward pass needs first, are kept; the others are recomputed, one block at a time. */
    PARTIAL,
    /** Only what goes from block to block is kept: the least memory. */
    FULL;

    /**
     * The number of blocks that keep their activations.
     *
     * @param blocks blocks of layers in the pass
     * @return the number of blocks, counted from the last one
     */
    public int kept(int blocks) {
        return switch (this) {
            case OFF -> blocks;
            case PARTIAL -> blocks / 3;
            case FULL -> 0;
        };
    }
}
