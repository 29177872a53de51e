package io.github.bts4j.train;

import io.github.bts4j.core.support.Problems;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.LearningRate;
import io.github.bts4j.train.optim.ParameterGroup;
import io.github.bts4j.train.stability.Safeguards;
import java.io.Serializable;
import java.util.List;

/**
 * The configuration of a training run.
 *
 * @param totalSteps optimizer steps of the whole run
 * @param batches what one step reads
 * @param learningRate the schedule
 * @param optimization what one step does with the gradients
 * @param seed seed of the passes' random draws
 * @param checkpoints when the run is saved
 * @param safeguards detection of divergence, and reactions
 * @serial exclude
 */
public record TrainerConfig(long totalSteps, Batches batches, LearningRate learningRate, Optimization optimization, long seed, Checkpoints checkpoints, Safeguards safeguards) implements Serializable {
    /** The usual limit on the global gradient norm. */
    public static final double DEFAULT_MAX_GRAD_NORM = 1.0;

    private static final int LLAMA_2_BATCH = 4 << 20;
    private static final int LLAMA_2_WARMUP = 2000;

    /**
     * What one step reads.
     *
     * @param microBatch sequences in one forward and backward pass
     * @param accumulation passes per optimizer step
     * @param sequenceLength tokens per sequence that are predicted; each sequence holds one more
     * @param ramp how the batch size increases at the beginning
     * @param lanes groups of passes whose gradients are added separately, and then to each other: see {@link Trainable#accumulateStep}. They may be computed in as many places
     * @serial exclude
     */
    public record Batches(int microBatch, int accumulation, int sequenceLength, BatchRamp ramp, int lanes) implements Serializable {}

    /**
     * What one step does with the gradients.
     *
     * @param optimizer AdamW's constants
     * @param maxGradNorm limit on the global gradient norm; infinity turns clipping off
     * @param averageDecay decay of the exponential moving average of the weights, in {@code [0, 1)}; 0 keeps none
     * @param groups tensors with constants of their own; the first that matches counts, and {@code optimizer} is for the rest
     * @serial exclude
     */
    public record Optimization(AdamWConfig optimizer, double maxGradNorm, double averageDecay, List<ParameterGroup> groups) implements Serializable {
        /**
         * Copies the groups.
         *
         * @param optimizer AdamW's constants
         * @param maxGradNorm limit on the global gradient norm
         * @param averageDecay decay of the exponential moving average of the weights
         * @param groups tensors with constants of their own
         */
        public Optimization {
            groups = List.copyOf(groups);
        }
    }

    /**
     * When a run is saved.
     *
     * @param every steps between run checkpoints; 0 writes none but the last
     * @param keep how many stay on the disk, at least 1
     * @serial exclude
     */
    public record Checkpoints(long every, int keep) implements Serializable {
        boolean isDue(long step) {
            return every > 0 && step % every == 0;
        }
    }

    /**
     * Checks the ranges.
     *
     * @param totalSteps optimizer steps of the whole run
     * @param batches what one step reads
     * @param learningRate the schedule
     * @param optimization what one step does with the gradients
     * @param seed seed of the passes' random draws
     * @param checkpoints when the run is saved
     * @param safeguards detection of divergence, and reactions
     * @throws IllegalArgumentException listing every value outside its range
     */
    public TrainerConfig {
        Problems problems = new Problems();
        atLeast(problems, "totalSteps", totalSteps, 1);
        atLeast(problems, "microBatch", batches.microBatch, 1);
        atLeast(problems, "accumulation", batches.accumulation, 1);
        atLeast(problems, "lanes", batches.lanes, 1);
        problems.addIf(batches.lanes > Math.max(1, batches.accumulation), "lanes = " + batches.lanes + " is above accumulation = " + batches.accumulation + ": a lane needs at least one pass");
        atLeast(problems, "sequenceLength", batches.sequenceLength, 1);
        atLeast(problems, "checkpointEvery", checkpoints.every, 0);
        atLeast(problems, "keepCheckpoints", checkpoints.keep, 1);
        double norm = optimization.maxGradNorm;
        double decay = optimization.averageDecay;
        problems.addIf(!(norm > 0), "maxGradNorm = " + norm + " is not positive; Double.POSITIVE_INFINITY turns clipping off");
        problems.addIf(!(decay >= 0 && decay < 1), "averageDecay = " + decay + " is outside [0, 1)");
        checkRewind(problems, safeguards, checkpoints);
        problems.throwInOneLine("TrainerConfig: ");
    }

    /** Checks that the kept run checkpoints reach back as far as a rewind. */
    private static void checkRewind(Problems problems, Safeguards safeguards, Checkpoints checkpoints) {
        long back = Math.max(0, checkpoints.keep - 1) * checkpoints.every;
        safeguards.rewind().ifPresent(rewind -> problems.addIf(checkpoints.every < 1 || back < rewind.steps(),
                "Rewind(steps = " + rewind.steps() + ") needs run checkpoints that reach back that far: checkpointEvery = " + checkpoints.every
                + " and keepCheckpoints = " + checkpoints.keep + " only reach back " + back + " steps; see withCheckpoints"));
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
        return new TrainerConfig(totalSteps, new Batches(microBatch, 1, sequenceLength, BatchRamp.NONE, 1), learningRate,
                new Optimization(AdamWConfig.STITCH, DEFAULT_MAX_GRAD_NORM, 0, List.of()), 0, new Checkpoints(0, 1), Safeguards.OFF);
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
        return with(new Batches(batches.microBatch, accumulation, batches.sequenceLength, batches.ramp, batches.lanes));
    }

    /**
     * A copy whose steps have lanes. Set {@link #withAccumulation} first: a lane has at least one pass. The sum of float32 gradients depends on its order, so that
     * another number of lanes gives slightly different weights; where the lanes are computed makes no difference.
     *
     * @param lanes 1 adds all passes in one sequence
     * @return the copy
     */
    public TrainerConfig withLanes(int lanes) {
        return with(new Batches(batches.microBatch, batches.accumulation, batches.sequenceLength, batches.ramp, lanes));
    }

    /**
     * A copy with other constants of AdamW.
     *
     * @param optimizer the constants
     * @return the copy
     */
    public TrainerConfig withOptimizer(AdamWConfig optimizer) {
        return with(new Optimization(optimizer, optimization.maxGradNorm, optimization.averageDecay, optimization.groups));
    }

    /**
     * A copy with another limit on the gradient norm.
     *
     * @param maxGradNorm the limit
     * @return the copy
     */
    public TrainerConfig withMaxGradNorm(double maxGradNorm) {
        return with(new Optimization(optimization.optimizer, maxGradNorm, optimization.averageDecay, optimization.groups));
    }

    /**
     * A copy with another seed.
     *
     * @param seed the seed
     * @return the copy
     */
    public TrainerConfig withSeed(long seed) {
        return new TrainerConfig(totalSteps, batches, learningRate, optimization, seed, checkpoints, safeguards);
    }

    /**
     * A copy with regular run checkpoints.
     *
     * @param every steps between them
     * @param keep how many to keep
     * @return the copy
     */
    public TrainerConfig withCheckpoints(long every, int keep) {
        return new TrainerConfig(totalSteps, batches, learningRate, optimization, seed, new Checkpoints(every, keep), safeguards);
    }

    /**
     * A copy with safeguards. A {@link io.github.bts4j.train.stability.Reaction.Rewind} needs checkpoints: call {@link #withCheckpoints} first.
     *
     * @param safeguards detection of divergence, and reactions
     * @return the copy
     */
    public TrainerConfig withSafeguards(Safeguards safeguards) {
        return new TrainerConfig(totalSteps, batches, learningRate, optimization, seed, checkpoints, safeguards);
    }

    /**
     * A copy with an increasing batch size.
     *
     * @param batchRamp how the batch size increases at the beginning
     * @return the copy
     */
    public TrainerConfig withBatchRamp(BatchRamp batchRamp) {
        return with(new Batches(batches.microBatch, batches.accumulation, batches.sequenceLength, batchRamp, batches.lanes));
    }

    /**
     * A copy with an exponential moving average of the weights beside the weights themselves.
     *
     * @param averageDecay its decay, in {@code [0, 1)}; 0 keeps none
     * @return the copy
     */
    public TrainerConfig withWeightAverage(double averageDecay) {
        return with(new Optimization(optimization.optimizer, optimization.maxGradNorm, averageDecay, optimization.groups));
    }

    /**
     * A copy with separate constants for some tensors.
     *
     * @param groups the groups; the first one that matches a tensor's name applies
     * @return the copy
     */
    public TrainerConfig withParameterGroups(ParameterGroup... groups) {
        return with(new Optimization(optimization.optimizer, optimization.maxGradNorm, optimization.averageDecay, List.of(groups)));
    }

    private TrainerConfig with(Batches changed) {
        return new TrainerConfig(totalSteps, changed, learningRate, optimization, seed, checkpoints, safeguards);
    }

    private TrainerConfig with(Optimization changed) {
        return new TrainerConfig(totalSteps, batches, learningRate, changed, seed, checkpoints, safeguards);
    }

    /** {@return sequences per optimizer step, micro-batch times accumulation, after the increase of the batch size} */
    public int sequencesPerStep() {
        return Math.multiplyExact(batches.microBatch, batches.accumulation);
    }

    /**
     * The values that must not change when a run is resumed: everything but the frequency of checkpoints. Run checkpoints hold the text, so that its form stays what it is.
     *
     * @return a text, equal for equal runs
     */
    String identity() {
        return "TrainerConfig[totalSteps=" + totalSteps + ", microBatch=" + batches.microBatch + ", accumulation=" + batches.accumulation + ", sequenceLength=" + batches.sequenceLength
                + ", learningRate=" + learningRate + ", optimizer=" + optimization.optimizer + ", maxGradNorm=" + optimization.maxGradNorm + ", seed=" + seed
                + ", checkpointEvery=" + Long.MAX_VALUE + ", keepCheckpoints=2, safeguards=" + safeguards + ", batchRamp=" + batches.ramp
                + ", averageDecay=" + optimization.averageDecay + ", parameterGroups=" + optimization.groups + (batches.lanes == 1 ? "" : ", lanes=" + batches.lanes) + "]";
    }
}
