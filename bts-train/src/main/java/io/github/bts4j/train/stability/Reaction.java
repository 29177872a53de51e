package io.github.bts4j.train.stability;

import java.io.Serializable;
import java.util.regex.Pattern;

/** A reaction to a loss spike or an alarm. Immutable. */
public sealed interface Reaction extends Serializable {
    /**
     * Goes back to a checkpoint and skips batches: weights, moments, step, random draws and detectors are restored; only the position in the
     * data moves forward. PaLM's remedy, described in arXiv 2304.09871.
     *
     * @param steps how far to go back at least, about 100
     * @param skipBatches how many batches to skip from the current position, 200 to 500
     * @serial exclude
     */
    record Rewind(int steps, int skipBatches) implements Reaction {
        /**
         * Checks the ranges.
         *
         * @param steps how far to go back
         * @param skipBatches how many batches to skip
         * @throws IllegalArgumentException if one is out of its range
         */
        public Rewind {
            if (steps < 1 || skipBatches < 0) {
                throw new IllegalArgumentException("Rewind(steps = " + steps + ", skipBatches = " + skipBatches + "): steps must be at least 1, skipBatches not negative");
            }
        }
    }

    /**
     * Lowers the learning rate for the rest of the run.
     *
     * @param factor factor on the rate, between 0 and 1
     * @serial exclude
     */
    record LearningRateBackoff(double factor) implements Reaction {
        /**
         * Checks the range.
         *
         * @param factor factor on the rate
         * @throws IllegalArgumentException if it is out of its range
         */
        public LearningRateBackoff {
            if (!(factor > 0 && factor < 1)) {
                throw new IllegalArgumentException("LearningRateBackoff(factor = " + factor + "): must be between 0 and 1");
            }
        }
    }

    /**
     * Sets both moments and the step counts to zero: Adam restarts from the current weights.
     *
     * @param tensors regular expression that must match the whole name of a tensor, such as {@code stitch[.][0-9]+[.]gate[.].*}
     * @serial exclude
     */
    record MomentReset(String tensors) implements Reaction {
        /**
         * Checks the expression.
         *
         * @param tensors regular expression for whole names
         * @throws java.util.regex.PatternSyntaxException if it is invalid
         */
        public MomentReset {
            Pattern.compile(tensors);
        }

        /** Of every tensor. */
        public MomentReset() {
            this(".*");
        }
    }
}
