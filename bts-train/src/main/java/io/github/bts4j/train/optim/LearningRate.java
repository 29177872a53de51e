package io.github.bts4j.train.optim;

import io.github.bts4j.core.support.Problems;
import java.io.Serializable;

/**
 * A learning-rate schedule: the learning rate of every optimizer step, as a pure function of the step number.
 *
 * <p>The library's default is {@link WarmupLinear}; {@link WarmupCosine} with a floor of 1 % is the schedule of the
 * Branch-Train-Stitch paper (arXiv 2502.00075, section 4). Schedules are immutable and safe for use by many threads.
 */
public sealed interface LearningRate extends Serializable permits LearningRate.WarmupLinear, LearningRate.WarmupCosine, LearningRate.Constant {

    /**
     * The learning rate of one optimizer step.
     *
     * @param step number of optimizer steps already done: 0 for the first; at or past the end of the schedule the
     *     last value (the floor) holds
     * @return the learning rate, zero or more
     * @throws IllegalArgumentException if {@code step} is negative
     */
    double at(long step);

    /**
     * A one-line JSON object that {@link #parse(String)} turns back into an equal schedule. Keys are spelled as in
     * Hugging Face's training arguments.
     *
     * @return for example {@code {"lr_scheduler_type":"linear","learning_rate":5.0E-6,"warmup_steps":10,"max_steps":100,"min_lr":0.0}}
     */
    default String toJson() {
        return LearningRateJson.write(this);
    }

    /**
     * Reads a schedule from the form that {@link #toJson()} writes. {@code min_lr}, {@code min_lr_rate} and
     * {@code warmup_steps} may be missing and are zero then; an unknown key is an error.
     *
     * @param json a JSON object
     * @return the schedule
     * @throws IllegalArgumentException if it is not a JSON object, or a key is unknown, missing or has the wrong type, or
     *     a value is out of range; the message lists every problem
     */
    static LearningRate parse(String json) {
        return LearningRateJson.read(json);
    }

    /**
     * Linear warm-up, then linear decay:
     * {@code lr(s) = peak * (s + 1) / warmupSteps} for {@code s < warmupSteps}, else
     * {@code lr(s) = max(floor, peak * (totalSteps - s) / (totalSteps - warmupSteps))}.
     *
     * @param peak highest learning rate
     * @param warmupSteps optimizer steps of warm-up; the last of them runs at {@code peak}
     * @param totalSteps optimizer steps of the whole schedule, warm-up included
     * @param floor the decay goes no lower than this learning rate; 0 for a decay to zero
     * @serial exclude
     */
    record WarmupLinear(double peak, long warmupSteps, long totalSteps, double floor) implements LearningRate {

        /**
         * Checks the values.
         *
         * @param peak highest learning rate
         * @param warmupSteps optimizer steps of warm-up
         * @param totalSteps optimizer steps of the whole schedule
         * @param floor the decay goes no lower than this learning rate
         * @throws IllegalArgumentException listing every value that is out of range
         */
        public WarmupLinear {
            Problems problems = new Problems();
            checkPeak(peak, problems);
            checkSteps(warmupSteps, totalSteps, problems);
            problems.addIf(!(floor >= 0 && floor <= peak), "floor = " + floor + " must be between 0 and peak = " + peak);
            refuse("WarmupLinear", problems);
        }

        /**
         * A schedule that decays to zero.
         *
         * @param peak highest learning rate
         * @param warmupSteps optimizer steps of warm-up
         * @param totalSteps optimizer steps of the whole schedule, warm-up included
         * @throws IllegalArgumentException listing every value that is out of range
         */
        public WarmupLinear(double peak, long warmupSteps, long totalSteps) {
            this(peak, warmupSteps, totalSteps, 0);
        }

        @Override
        public double at(long step) {
            checkStep(step);
            if (step < warmupSteps) {
                return peak * (step + 1) / warmupSteps;
            }
            if (step >= totalSteps) {
                return floor;
            }
            return Math.max(floor, peak * (totalSteps - step) / (totalSteps - warmupSteps));
        }
    }

    /**
     * Linear warm-up, then half a cosine down to a floor:
     * {@code lr(s) = peak * (s + 1) / warmupSteps} for {@code s < warmupSteps}, else
     * {@code lr(s) = peak * (f + (1 - f) * (1 + cos(pi * (s - warmupSteps) / (totalSteps - warmupSteps))) / 2)}
     * with {@code f = floorFraction}.
     *
     * @param peak highest learning rate
     * @param warmupSteps optimizer steps of warm-up; the last of them runs at {@code peak}
     * @param totalSteps optimizer steps of the whole schedule, warm-up included
     * @param floorFraction the last learning rate as a fraction of {@code peak}, 0 to 1; the paper's runs end at 0.01
     * @serial exclude
     */
    record WarmupCosine(double peak, long warmupSteps, long totalSteps, double floorFraction) implements LearningRate {

        /**
         * Checks the values.
         *
         * @param peak highest learning rate
         * @param warmupSteps optimizer steps of warm-up
         * @param totalSteps optimizer steps of the whole schedule
         * @param floorFraction the last learning rate as a fraction of
         * @throws IllegalArgumentException listing every value that is out of range
         */
        public WarmupCosine {
            Problems problems = new Problems();
            checkPeak(peak, problems);
            checkSteps(warmupSteps, totalSteps, problems);
            problems.addIf(!(floorFraction >= 0 && floorFraction <= 1),
                    "floorFraction = " + floorFraction + " must be between 0 and 1 (1 % is 0.01)");
            refuse("WarmupCosine", problems);
        }

        @Override
        public double at(long step) {
            checkStep(step);
            if (step < warmupSteps) {
                return peak * (step + 1) / warmupSteps;
            }
            if (step >= totalSteps) {
                return peak * floorFraction;
            }
            double progress = (double) (step - warmupSteps) / (totalSteps - warmupSteps);
            return peak * (floorFraction + (1 - floorFraction) * (1 + Math.cos(Math.PI * progress)) / 2);
        }
    }

    /**
     * Linear warm-up, then a constant:
     * {@code lr(s) = peak * min(1, (s + 1) / warmupSteps)}.
     *
     * @param peak the learning rate
     * @param warmupSteps optimizer steps of warm-up, 0 for none
     * @serial exclude
     */
    record Constant(double peak, long warmupSteps) implements LearningRate {

        /**
         * Checks the values.
         *
         * @param peak the learning rate
         * @param warmupSteps optimizer steps of warm-up
         * @throws IllegalArgumentException listing every value that is out of range
         */
        public Constant {
            Problems problems = new Problems();
            checkPeak(peak, problems);
            problems.addIf(warmupSteps < 0, "warmupSteps = " + warmupSteps + " must not be negative");
            refuse("Constant", problems);
        }

        /**
         * A schedule without warm-up.
         *
         * @param peak the learning rate
         * @throws IllegalArgumentException if {@code peak} is not positive and finite
         */
        public Constant(double peak) {
            this(peak, 0);
        }

        @Override
        public double at(long step) {
            checkStep(step);
            return step < warmupSteps ? peak * (step + 1) / warmupSteps : peak;
        }
    }

    private static void checkStep(long step) {
        if (step < 0) {
            throw new IllegalArgumentException("step = " + step + " must not be negative: the first step is 0");
        }
    }

    private static void checkPeak(double peak, Problems problems) {
        problems.addIf(!(peak > 0 && peak < Double.POSITIVE_INFINITY), "peak = " + peak + " must be positive and finite");
    }

    private static void checkSteps(long warmupSteps, long totalSteps, Problems problems) {
        problems.addIf(totalSteps < 1, "totalSteps = " + totalSteps + " must be at least 1");
        problems.addIf(warmupSteps < 0 || warmupSteps > totalSteps,
                "warmupSteps = " + warmupSteps + " must be between 0 and totalSteps = " + totalSteps);
    }

    private static void refuse(String schedule, Problems problems) {
        problems.throwInOneLine("LearningRate." + schedule + ": ");
    }
}
