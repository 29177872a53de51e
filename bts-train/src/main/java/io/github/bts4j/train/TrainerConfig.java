package io.github.bts4j.train;

import java.util.ArrayList;
import java.util.List;

/**
 * How to train.
 *
 * @param totalSteps optimizer steps of the whole run
 * @param microBatch sequences in one forward and backward pass
 * @param accumulation passes per optimizer step
 * @param sequenceLength tokens per sequence that are predicted; each sequence holds one more
 * @param learningRate the schedule
 * @param optimizer AdamW's constants
 * @param maxGradNorm limit on the global gradient norm; infinity switches clipping off
 * @param seed seed of whatever the passes draw at random
 * @param checkpointEvery steps between run checkpoints; 0 writes none but the last
 * @param keepCheckpoints how many run checkpoints stay on the disk, at least 1
 */
public record TrainerConfig(long totalSteps, int microBatch, int accumulation, int sequenceLength, LearningRate learningRate,
        AdamWConfig optimizer, double maxGradNorm, long seed, long checkpointEvery, int keepCheckpoints) {
    /** The usual limit on the global gradient norm. */
    public static final double DEFAULT_MAX_GRAD_NORM = 1.0;

    /**
     * Checks the ranges.
     *
     * @param totalSteps optimizer steps of the whole run
     * @param microBatch sequences in one forward and backward pass
     * @param accumulation passes per optimizer step
     * @param sequenceLength tokens per sequence that are predicted
     * @param learningRate the schedule
     * @param optimizer AdamW's constants
     * @param maxGradNorm limit on the global gradient norm
     * @param seed seed of whatever the passes draw at random
     * @param checkpointEvery steps between run checkpoints
     * @param keepCheckpoints how many run checkpoints stay on the disk
     * @throws IllegalArgumentException listing every value outside its range
     */
    public TrainerConfig {
        List<String> problems = new ArrayList<>();
        atLeast(problems, "totalSteps", totalSteps, 1);
        atLeast(problems, "microBatch", microBatch, 1);
        atLeast(problems, "accumulation", accumulation, 1);
        atLeast(problems, "sequenceLength", sequenceLength, 1);
        atLeast(problems, "checkpointEvery", checkpointEvery, 0);
        atLeast(problems, "keepCheckpoints", keepCheckpoints, 1);
        if (!(maxGradNorm > 0)) {
            problems.add("maxGradNorm = " + maxGradNorm + " is not positive; Double.POSITIVE_INFINITY switches clipping off");
        }
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException("TrainerConfig: " + String.join("; ", problems));
        }
    }

    private static void atLeast(List<String> problems, String name, long value, long minimum) {
        if (value < minimum) {
            problems.add(name + " = " + value + " is below " + minimum);
        }
    }

    /**
     * Defaults for a schedule: one micro-batch per step, {@link AdamWConfig#STITCH}, clipping at 1, seed 0, only a last checkpoint.
     *
     * @param totalSteps optimizer steps
     * @param microBatch sequences per pass
     * @param sequenceLength predicted tokens per sequence
     * @param learningRate the schedule
     * @return the configuration
     */
    public static TrainerConfig of(long totalSteps, int microBatch, int sequenceLength, LearningRate learningRate) {
        return new TrainerConfig(totalSteps, microBatch, 1, sequenceLength, learningRate, AdamWConfig.STITCH, DEFAULT_MAX_GRAD_NORM, 0, 0, 1);
    }

    /**
     * The same with gradient accumulation.
     *
     * @param accumulation passes per step
     * @return a changed copy
     */
    public TrainerConfig withAccumulation(int accumulation) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed,
                checkpointEvery, keepCheckpoints);
    }

    /**
     * The same with other constants of AdamW.
     *
     * @param optimizer the constants
     * @return a changed copy
     */
    public TrainerConfig withOptimizer(AdamWConfig optimizer) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed,
                checkpointEvery, keepCheckpoints);
    }

    /**
     * The same with another limit on the gradient norm.
     *
     * @param maxGradNorm the limit
     * @return a changed copy
     */
    public TrainerConfig withMaxGradNorm(double maxGradNorm) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed,
                checkpointEvery, keepCheckpoints);
    }

    /**
     * The same with another seed.
     *
     * @param seed the seed
     * @return a changed copy
     */
    public TrainerConfig withSeed(long seed) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed,
                checkpointEvery, keepCheckpoints);
    }

    /**
     * The same with regular run checkpoints.
     *
     * @param every steps between them
     * @param keep how many stay on the disk
     * @return a changed copy
     */
    public TrainerConfig withCheckpoints(long every, int keep) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed, every, keep);
    }

    /**
     * Sequences consumed by one optimizer step.
     *
     * @return micro-batch times accumulation
     */
    public int sequencesPerStep() {
        return Math.multiplyExact(microBatch, accumulation);
    }

    /**
     * What must not change when a run is resumed: everything but how often checkpoints are written.
     *
     * @return a text that is equal for equal runs
     */
    String identity() {
        return withCheckpoints(0, 1).toString();
    }
}
