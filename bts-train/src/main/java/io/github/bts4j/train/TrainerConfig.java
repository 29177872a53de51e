package io.github.bts4j.train;

import io.github.bts4j.core.support.Problems;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.stability.Safeguards;
import java.util.List;

/**
 * The configuration of a training run.
 *
 * @param totalSteps optimizer steps of the whole run
 * @param microBatch sequences in one forward and backward pass
 * @param accumulation passes per optimizer step
 * @param sequenceLength tokens per sequence that are predicted; each sequence holds one more
 * @param learningRate the schedule
 * @param optimizer AdamW's constants
 * @param maxGradNorm limit on the global gradient norm; infinity turns clipping off
 * @param seed seed of the passes' random draws
 * @param checkpointEvery steps between run checkpoints; 0 writes none but the last
 * @param keepCheckpoints how many run checkpoints to keep, at least 1
 * @param safeguards detection of divergence, and reactions
 * @param batchRamp how the batch size increases at the beginning
 * @param averageDecay decay of the exponential moving average of the weights, in {@code [0, 1)}; 0 keeps none
 * @param parameterGroups groups of tensors with separate constants; the first match applies, and {@code optimizer} applies to the rest
 */
public record TrainerConfig(long totalSteps, int microBatch, int accumulation, int sequenceLength, LearningRate learningRate,
        AdamWConfig optimizer, double maxGradNorm, long seed, long checkpointEvery, int keepCheckpoints, Safeguards safeguards, BatchRamp batchRamp,
        double averageDecay, List<ParameterGroup> parameterGroups) {
    /** The usual limit on the global gradient norm. */
    public static final double DEFAULT_MAX_GRAD_NORM = 1.0;

    private static final int LLAMA_2_BATCH = 4 << 20;
    private static final int LLAMA_2_WARMUP = 2000;

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
     * @param seed seed of the passes' random draws
     * @param checkpointEvery steps between run checkpoints
     * @param keepCheckpoints how many run checkpoints to keep
     * @param safeguards detection of divergence, and reactions
     * @param batchRamp how the batch size increases at the beginning
     * @param averageDecay decay of the exponential moving average of the weights
     * @param parameterGroups groups of tensors with separate constants
     * @throws IllegalArgumentException listing every value outside its range
     */
    public TrainerConfig {
        parameterGroups = List.copyOf(parameterGroups);
        Problems problems = new Problems();
        atLeast(problems, "totalSteps", totalSteps, 1);
        atLeast(problems, "microBatch", microBatch, 1);
        atLeast(problems, "accumulation", accumulation, 1);
        atLeast(problems, "sequenceLength", sequenceLength, 1);
        atLeast(problems, "checkpointEvery", checkpointEvery, 0);
        atLeast(problems, "keepCheckpoints", keepCheckpoints, 1);
        problems.addIf(!(maxGradNorm > 0), "maxGradNorm = " + maxGradNorm + " is not positive; Double.POSITIVE_INFINITY turns clipping off");
        problems.addIf(!(averageDecay >= 0 && averageDecay < 1), "averageDecay = " + averageDecay + " is outside [0, 1)");
        checkRewind(problems, safeguards, checkpointEvery, keepCheckpoints);
        problems.throwInOneLine("TrainerConfig: ");
    }

    /** Checks that the kept run checkpoints reach back as far as a rewind. */
    private static void checkRewind(Problems problems, Safeguards safeguards, long every, int keep) {
        safeguards.rewind().ifPresent(rewind -> {
            problems.addIf(every < 1 || (keep - 1) * every < rewind.steps(),
                    "Rewind(steps = " + rewind.steps() + ") needs run checkpoints that reach back that far: checkpointEvery = " + every
                    + " and keepCheckpoints = " + keep + " only reach back " + Math.max(0, keep - 1) * every + " steps; see withCheckpoints");
        });
    }

    private static void atLeast(Problems problems, String name, long value, long minimum) {
        problems.addIf(value < minimum, name + " = " + value + " is below " + minimum);
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
        return new TrainerConfig(totalSteps, microBatch, 1, sequenceLength, learningRate, AdamWConfig.STITCH, DEFAULT_MAX_GRAD_NORM, 0, 0, 1,
                Safeguards.OFF, BatchRamp.NONE, 0, List.of());
    }

    /**
     * Llama 2's pretraining recipe (arXiv 2307.09288, section 2.2): {@link AdamWConfig#LLAMA_2}, clipping at 1, warm-up over 2,000 steps, cosine to a tenth of
     * the peak, batches of 4 Mi tokens. The peak was 3e-4 for 7B and 13B, 1.5e-4 for 70B.
     *
     * @param totalSteps optimizer steps, more than 2,000
     * @param microBatch sequences per pass
     * @param sequenceLength predicted tokens per sequence, 4,096 in the paper
     * @param peak the highest learning rate
     * @return the configuration, with as many passes per step as make up such a batch
     */
    public static TrainerConfig llama2(long totalSteps, int microBatch, int sequenceLength, double peak) {
        int passes = (int) Math.max(1, Math.round((double) LLAMA_2_BATCH / ((long) microBatch * sequenceLength)));
        return of(totalSteps, microBatch, sequenceLength, new LearningRate.WarmupCosine(peak, LLAMA_2_WARMUP, totalSteps, 0.1))
                .withOptimizer(AdamWConfig.LLAMA_2).withAccumulation(passes);
    }

    /**
     * A copy with gradient accumulation.
     *
     * @param accumulation passes per step
     * @return the copy
     */
    public TrainerConfig withAccumulation(int accumulation) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed,
                checkpointEvery, keepCheckpoints, safeguards, batchRamp, averageDecay, parameterGroups);
    }

    /**
     * A copy with other constants of AdamW.
     *
     * @param optimizer the constants
     * @return the copy
     */
    public TrainerConfig withOptimizer(AdamWConfig optimizer) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed,
                checkpointEvery, keepCheckpoints, safeguards, batchRamp, averageDecay, parameterGroups);
    }

    /**
     * A copy with another limit on the gradient norm.
     *
     * @param maxGradNorm the limit
     * @return the copy
     */
    public TrainerConfig withMaxGradNorm(double maxGradNorm) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed,
                checkpointEvery, keepCheckpoints, safeguards, batchRamp, averageDecay, parameterGroups);
    }

    /**
     * A copy with another seed.
     *
     * @param seed the seed
     * @return the copy
     */
    public TrainerConfig withSeed(long seed) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed,
                checkpointEvery, keepCheckpoints, safeguards, batchRamp, averageDecay, parameterGroups);
    }

    /**
     * A copy with regular run checkpoints.
     *
     * @param every steps between them
     * @param keep how many to keep
     * @return the copy
     */
    public TrainerConfig withCheckpoints(long every, int keep) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed, every, keep,
                safeguards, batchRamp, averageDecay, parameterGroups);
    }

    /**
     * A copy with safeguards. A {@link io.github.bts4j.train.stability.Reaction.Rewind} needs checkpoints: call {@link #withCheckpoints} first.
     *
     * @param safeguards detection of divergence, and reactions
     * @return the copy
     */
    public TrainerConfig withSafeguards(Safeguards safeguards) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed,
                checkpointEvery, keepCheckpoints, safeguards, batchRamp, averageDecay, parameterGroups);
    }

    /**
     * A copy with an increasing batch size.
     *
     * @param batchRamp how the batch size increases at the beginning
     * @return the copy
     */
    public TrainerConfig withBatchRamp(BatchRamp batchRamp) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed,
                checkpointEvery, keepCheckpoints, safeguards, batchRamp, averageDecay, parameterGroups);
    }

    /**
     * A copy with an exponential moving average of the weights beside the weights themselves.
     *
     * @param averageDecay its decay, in {@code [0, 1)}; 0 keeps none
     * @return the copy
     */
    public TrainerConfig withWeightAverage(double averageDecay) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed,
                checkpointEvery, keepCheckpoints, safeguards, batchRamp, averageDecay, parameterGroups);
    }

    /**
     * A copy with separate constants for some tensors.
     *
     * @param groups the groups; the first one that matches a tensor's name applies
     * @return the copy
     */
    public TrainerConfig withParameterGroups(ParameterGroup... groups) {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed,
                checkpointEvery, keepCheckpoints, safeguards, batchRamp, averageDecay, List.of(groups));
    }

    /**
     * Sequences per optimizer step, after the increase of the batch size.
     *
     * @return micro-batch times accumulation
     */
    public int sequencesPerStep() {
        return Math.multiplyExact(microBatch, accumulation);
    }

    /**
     * The values that must not change when a run is resumed: everything but the frequency of checkpoints.
     *
     * @return a text, equal for equal runs
     */
    String identity() {
        return new TrainerConfig(totalSteps, microBatch, accumulation, sequenceLength, learningRate, optimizer, maxGradNorm, seed, Long.MAX_VALUE, 2,
                safeguards, batchRamp, averageDecay, parameterGroups).toString();
    }
}
