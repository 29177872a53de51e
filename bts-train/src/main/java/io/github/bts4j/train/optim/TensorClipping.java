package io.github.bts4j.train.optim;

import java.io.Serializable;

/**
 * Clips each tensor's gradient relative to its previous norms: AdaGC (Wang et al., arXiv 2502.11034, algorithm 1). In the warm-up, the gradients are clipped by their global
 * norm, and each tensor's reference is its smallest norm so far. Afterwards a norm above {@code factor * reference} is scaled down to that, and
 * {@code reference = decay * reference + (1 - decay) * clipped norm}. A tensor whose reference is 0, such as one that has had no gradient yet, is not clipped,
 * because it would never move.
 *
 * @param factor the multiple of the reference that a norm may have, at least 1
 * @param decay decay of the reference, in {@code [0, 1)}
 * @param warmup steps before tensors are clipped, at least 1
 * @serial exclude
 */
public record TensorClipping(double factor, double decay, int warmup) implements Serializable {
    /** No clipping by tensor. */
    public static final TensorClipping OFF = new TensorClipping(Double.POSITIVE_INFINITY, 0, 1);

    /** The authors' constants: 1.05, 0.98, 100 steps of warm-up. */
    public static final TensorClipping ADAGC = new TensorClipping(1.05, 0.98, 100);

    /**
     * Checks the ranges.
     *
     * @param factor the multiple of the reference that a norm may have
     * @param decay decay of the reference
     * @param warmup steps before tensors are clipped
     * @throws IllegalArgumentException if a value is outside its range
     */
    public TensorClipping {
        if (!(factor >= 1) || !(decay >= 0 && decay < 1) || warmup < 1) {
            throw new IllegalArgumentException("TensorClipping: factor = " + factor + " must be at least 1, decay = " + decay
                    + " in [0, 1), warmup = " + warmup + " at least 1");
        }
    }

    /** {@return whether clipping by tensor is on, as it is except for {@link #OFF}} */
    public boolean isOn() {
        return factor < Double.POSITIVE_INFINITY;
    }

    /**
     * The factor on a tensor's gradient after the warm-up.
     *
     * @param norm its norm
     * @param reference the tensor's reference
     * @return at most 1
     */
    public double scale(double norm, double reference) {
        return reference > 0 && norm > factor * reference ? factor * reference / norm : 1;
    }

    /**
     * The reference after a step.
     *
     * @param step steps done before, from 0
     * @param reference the reference so far; infinite before the first step
     * @param clipped the norm after clipping
     * @return the new reference
     */
    public double next(long step, double reference, double clipped) {
        if (step < warmup) {
            return Math.min(reference, clipped);
        }
        return reference > 0 ? decay * reference + (1 - decay) * clipped : clipped;
    }
}
