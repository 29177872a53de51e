package io.github.bts4j.train;

import java.io.Serializable;

/**
 * Increases the batch size at the beginning of a run (GPT-3, arXiv 2005.14165, appendix B): the number of accumulated passes rises linearly, rounded to whole
 * passes, from the first value to the configured one.
 *
 * @param firstAccumulation passes of the first step, at least 1
 * @param steps steps until the configured number is reached, at least 1
 * @serial exclude
 */
public record BatchRamp(int firstAccumulation, long steps) implements Serializable {
    /** The full batch from the first step on. */
    public static final BatchRamp NONE = new BatchRamp(Integer.MAX_VALUE, 1);

    /**
     * Checks the ranges.
     *
     * @param firstAccumulation passes of the first step
     * @param steps steps until the configured number is reached
     * @throws IllegalArgumentException if one is below 1
     */
    public BatchRamp {
        if (firstAccumulation < 1 || steps < 1) {
            throw new IllegalArgumentException("BatchRamp: firstAccumulation = " + firstAccumulation + " and steps = " + steps + " must be at least 1");
        }
    }

    /**
     * The number of passes of a step.
     *
     * @param step steps done before
     * @param accumulation the configured number
     * @return passes, 1 to {@code accumulation}
     */
    public int at(long step, int accumulation) {
        if (firstAccumulation >= accumulation || step >= steps) {
            return accumulation;
        }
        return (int) Math.round(firstAccumulation + (accumulation - firstAccumulation) * (step / (double) steps));
    }
}
