package io.github.bts4j.cli;

import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.LearningRate;
import io.github.bts4j.train.stability.Reaction;
import io.github.bts4j.train.stability.Safeguards;
import java.util.Locale;
import java.util.function.DoubleSupplier;
import picocli.CommandLine.Option;

/** Options for the steps of a training. */
final class StepOptions {
    private static final int USUAL_SEQUENCE = 256;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "1000", description = "Optimizer steps (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = Within.COUNT)
    private long steps;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "4", description = "Sequences per pass (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 65_536)
    private int batch;

    @Option(names = "--accumulation", paramLabel = "N", defaultValue = "1", description = "Passes per step (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 65_536)
    private int accumulation;

    @Option(names = "--lanes", paramLabel = "N", defaultValue = "1", description = "Groups of a step's passes whose gradients are added separately: as many places can compute a step, with --master (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 65_536)
    private int lanes;

    @Option(names = "--sequence", paramLabel = "N", description = "Tokens per sequence (default: 256, or the model's context if that is shorter).")
    @Within(least = 1, most = 1_048_576)
    private Integer sequence;

    private int length;

    @Option(names = "--lr", paramLabel = "X", description = "Peak learning rate (default: 1e-4 for a model, 2e-4 for an adapter; for stitches, computed from the size of the hub's states and printed).")
    @Within(least = 0, above = true, most = 100)
    private Double learningRate;

    @Option(names = "--warmup", paramLabel = "N", description = "Warm-up steps (default: a twentieth of all). After them the rate falls linearly.")
    @Within(least = 0, most = Within.COUNT)
    private Long warmup;

    @Option(names = "--weight-decay", paramLabel = "X", defaultValue = "0.1", description = "AdamW's weight decay (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, most = 100)
    private double weightDecay;

    @Option(names = "--clip", paramLabel = "X", defaultValue = "1.0", description = "Limit on the global gradient norm (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, above = true, most = Double.POSITIVE_INFINITY)
    private double clip;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Random seed for weights, dropout and the order of text (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--save-every", paramLabel = "N", defaultValue = "100", description = "Steps between run checkpoints (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, most = Within.COUNT)
    private long saveEvery;

    @Option(names = "--keep", paramLabel = "N", defaultValue = "2", description = "Number of run checkpoints to keep (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 10_000)
    private int keep;

    @Option(names = "--rewind", description = "After a loss spike, go back 100 steps and skip 200 batches; needs --save-every 50 or less.")
    private boolean rewind;

    @Option(names = "--measure-every", paramLabel = "N", defaultValue = "0", description = "Steps between measurements of Adam's stability; 0 for none (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, most = Within.COUNT)
    private int measureEvery;

    /** Seed of whatever is random. */
    long seed() {
        return seed;
    }

    /** Tokens of a training sequence. */
    int sequence() {
        return length;
    }

    /** Refuses sequences beyond the model's context: the model was never trained on them, but would compute results anyway. */
    void checkContext(int contextLength) {
        length = sequence == null ? Math.min(USUAL_SEQUENCE, contextLength) : sequence;
        WindowOptions.check("--sequence", length, contextLength);
    }

    /** Checks combinations of options. */
    private void check() {
        if ((double) batch * accumulation * length > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("--batch " + batch + " with --accumulation " + accumulation + " and --sequence " + length + " is "
                    + String.format(Locale.ROOT, "%.0f", (double) batch * accumulation * length) + " tokens per step; the maximum is " + Integer.MAX_VALUE);
        }
        if (lanes > accumulation) {
            throw new IllegalArgumentException("--lanes " + lanes + " is above --accumulation " + accumulation + ": a lane needs at least one pass");
        }
        if (warmup != null && warmup > steps) {
            throw new IllegalArgumentException("--warmup " + warmup + " is above --steps " + steps);
        }
    }

    /** The configuration, with a learning rate for those who give none. */
    TrainerConfig config(DoubleSupplier usualRate) {
        check();
        if (rewind && (saveEvery < 1 || saveEvery > 50)) {
            throw new IllegalArgumentException("--rewind with --save-every " + saveEvery + ": a rewind goes back 100 steps to a run checkpoint; use --save-every 50 or less");
        }
        LearningRate schedule = new LearningRate.WarmupLinear(learningRate == null ? usualRate.getAsDouble() : learningRate, warmup == null ? steps / 20 : warmup, steps, 0);
        Safeguards safeguards = Safeguards.OFF.withMeasurements(measureEvery);
        return TrainerConfig.of(steps, batch, length, schedule).withAccumulation(accumulation).withLanes(lanes).withMaxGradNorm(clip).withSeed(seed)
                .withOptimizer(new AdamWConfig(0.9, 0.95, 1e-8, weightDecay)).withCheckpoints(saveEvery, rewind ? Math.max(keep, (int) (200 / Math.max(1, saveEvery)) + 1) : keep)
                .withSafeguards(rewind ? safeguards.withReactions(new Reaction.Rewind(100, 200)) : safeguards);
    }
}
