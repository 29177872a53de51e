package io.github.bts4j.examples.stability;

import ai.djl.Device;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.examples.report.LossChart;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.Trainer;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.StepMetrics;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.EpsilonPolicy;
import io.github.bts4j.train.optim.LearningRate;
import io.github.bts4j.train.optim.TensorClipping;
import io.github.bts4j.train.stability.Reaction;
import io.github.bts4j.train.stability.Safeguards;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * A spike made on purpose, by the mechanism of arXiv 2304.09871: gradients have shrunk to the size of eps, then a few damaged batches make them jump, and
 * Adam, whose second moment has forgotten what large gradients are, takes large steps in one direction. The same run with every remedy.
 */
public final class SpikeExperiment {
    private static final int VOCABULARY = 64;
    private static final int BATCH = 8;
    private static final int LENGTH = 32;
    private static final int STEPS = 900;
    private static final int CORRUPTED_FROM = 600;
    private static final int CORRUPTED = 20;
    private static final int HELD_OUT = 200;
    private static final int DRAWN = 3;
    private static final int CHECKPOINT_EVERY = 25;
    private static final double SMALL_EPS_RATE = 0.03; // makes the usual update as long as with eps 1e-2
    private static final double RATE = 0.15; // what eps 1e-2 asks for: updates are some hundredths of their usual size
    private static final AdamWConfig ADAM = new AdamWConfig(0.9, 0.95, 1e-2, 0);

    /** One way to train. */
    private record Variant(String name, boolean corrupted, AdamWConfig adam, double rate, Safeguards safeguards) {}

    /** What came of it. */
    record Outcome(String name, List<Double> losses, long firstWarning, long firstSpike, double finalLoss) {
        /** The highest loss of a step behind the damaged batches. */
        double highest() {
            return losses.subList(CORRUPTED_FROM + CORRUPTED, losses.size()).stream().mapToDouble(Double::doubleValue).max().orElse(Double.NaN);
        }

        /** How many steps behind the damaged batches had a loss above 1.5, which no undamaged step reaches. */
        long disturbed() {
            return losses.subList(CORRUPTED_FROM + CORRUPTED, losses.size()).stream().filter(loss -> !(loss <= 1.5)).count();
        }
    }

    private SpikeExperiment() {}

    /**
     * Runs every variant, prints the table, and draws the losses.
     *
     * @param arguments the SVG file to draw into
     * @throws IOException if a run checkpoint cannot be written
     */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 1) {
            System.err.println("usage: SpikeExperiment CHART.svg");
            System.exit(2);
        }
        List<Outcome> outcomes = run(Integer.MAX_VALUE, System.err);
        Files.writeString(Path.of(arguments[0]), LossChart.svg("Loss by update", panels(outcomes)));
        System.out.println(table(outcomes));
    }

    /** The undamaged run and plain AdamW beside three remedies each. */
    private static List<Map<String, List<Double>>> panels(List<Outcome> outcomes) {
        List<Map<String, List<Double>>> panels = new ArrayList<>();
        for (int from = 2; from < outcomes.size(); from += DRAWN) {
            Map<String, List<Double>> curves = new LinkedHashMap<>();
            Stream.concat(outcomes.subList(0, 2).stream(), outcomes.subList(from, Math.min(from + DRAWN, outcomes.size())).stream())
                    .forEach(outcome -> curves.put(outcome.name(), outcome.losses()));
            panels.add(curves);
        }
        return panels;
    }

    /** The first of the variants, in the order of the table. */
    static List<Outcome> run(int most, PrintStream progress) throws IOException {
        Safeguards watch = Safeguards.OFF.withMeasurements(1);
        Reaction rewind = new Reaction.Rewind(100, 200);
        List<Variant> variants = List.of(
                new Variant("no damaged batch", false, ADAM, 1, watch),
                new Variant("plain AdamW", true, ADAM, 1, watch),
                new Variant("rewind 100, skip 200", true, ADAM, 1, watch.withReactions(rewind)),
                new Variant("learning rate x 0.1 after the spike", true, ADAM, 1, watch.withReactions(new Reaction.LearningRateBackoff(0.1))),
                new Variant("damaged batches left out by number", true, ADAM, 1,
                        watch.withSkippedBatches(CORRUPTED_FROM + "-" + (CORRUPTED_FROM + CORRUPTED - 1))),
                new Variant("moments reset after the spike", true, ADAM, 1, watch.withReactions(new Reaction.MomentReset())),
                new Variant("ZClip at 2.5 deviations", true, ADAM, 1, watch.withZClip(2.5)),
                new Variant("AdaGC, every tensor's norm", true, ADAM, 1, watch.withTensorClipping(TensorClipping.ADAGC)),
                new Variant("StableAdamW, update clipping", true, ADAM.withUpdateClipping(), 1, watch),
                new Variant("lower betas: 0.5, 0.8", true, new AdamWConfig(0.5, 0.8, 1e-2, 0), 1, watch),
                new Variant("a quarter of the learning rate", true, ADAM, 0.25, watch),
                new Variant("eps policy MAX", true, ADAM.withEpsilonPolicy(EpsilonPolicy.MAX), 1, watch),
                new Variant("eps 1e-8, learning rate x 0.03", true, new AdamWConfig(0.9, 0.95, 1e-8, 0), SMALL_EPS_RATE, watch),
                new Variant("eps policy ZERO_SAFE, learning rate x 0.03", true, ADAM.withEpsilonPolicy(EpsilonPolicy.ZERO_SAFE), SMALL_EPS_RATE, watch));
        List<Outcome> outcomes = new ArrayList<>();
        for (Variant variant : variants.subList(0, Math.min(most, variants.size()))) {
            progress.println(variant.name());
            outcomes.add(run(variant));
        }
        return outcomes;
    }

    private static Outcome run(Variant variant) throws IOException {
        LlamaConfig model = LlamaConfig.builder().vocabSize(VOCABULARY).hiddenSize(64).intermediateSize(128).numLayers(3).numHeads(4).numKvHeads(2)
                .maxPositionEmbeddings(64).build();
        TrainerConfig config = TrainerConfig.of(STEPS, BATCH, LENGTH, new LearningRate.WarmupLinear(RATE * variant.rate(), 20, STEPS, 0))
                .withOptimizer(variant.adam()).withMaxGradNorm(1).withCheckpoints(CHECKPOINT_EVERY, 8).withSafeguards(variant.safeguards());
        Path folder = Files.createTempDirectory("spike");
        Log log = new Log();
        double heldOut;
        try (ExpertTraining expert = ExpertTraining.fromScratch(model, 0.05, 1, Device.cpu());
                Trainer trainer = new Trainer(variant.corrupted() ? new CorruptedBatches(expert, data(), BATCH, LENGTH, CORRUPTED_FROM, CORRUPTED) : (Trainable) expert,
                        data(), config, log).saveTo(folder)) {
            trainer.run();
            heldOut = heldOutLoss(expert);
        } finally {
            FileTree.delete(folder);
        }
        return new Outcome(variant.name(), log.losses, log.firstWarning, log.firstSpike, heldOut);
    }

    /** Mean loss over sequences that no run trains on. */
    private static double heldOutLoss(ExpertTraining expert) {
        int[] tokens = tokens(99, HELD_OUT * (LENGTH + 1));
        double sum = 0;
        for (int row = 0; row < HELD_OUT; row++) {
            int[] sequence = Arrays.copyOfRange(tokens, row * (LENGTH + 1), (row + 1) * (LENGTH + 1));
            for (float loss : expert.accumulateGradients(new int[][] {sequence}, 0, 0)) {
                sum += loss;
            }
        }
        return sum / (HELD_OUT * LENGTH);
    }

    /** Nine in ten tokens follow from the one before; one in ten is drawn at random, so that the loss has a floor and gradients do not vanish. */
    private static int[] tokens(long seed, int length) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] tokens = new int[length];
        for (int t = 1; t < tokens.length; t++) {
            tokens[t] = random.nextInt(10) == 0 ? random.nextInt(VOCABULARY) : (5 * tokens[t - 1] + 3) % VOCABULARY;
        }
        return tokens;
    }

    private static Datamix data() {
        int[] tokens = tokens(1, 400_000);
        return Datamix.of(List.of(TokenDataset.builder("text").add(tokens, tokens.length).build()), Map.of("text", 1.0)).withSeed(1);
    }

    /** Keeps losses and the first words of warning. */
    private static final class Log implements MetricsListener {
        private final List<Double> losses = new ArrayList<>();
        private long firstWarning = -1;
        private long firstSpike = -1;

        @Override
        public void onStep(StepMetrics metrics) {
            losses.add(metrics.loss());
        }

        @Override
        public void onMessage(String message) {
            long step = Long.parseLong("0" + message.replaceAll("(?s).*? at step (\\d+).*|.*", "$1"));
            if (message.startsWith("WARN") && firstWarning < 0) {
                firstWarning = step;
            }
            if (message.startsWith("Loss spike") && firstSpike < 0) {
                firstSpike = step;
            }
        }
    }

    static String table(List<Outcome> outcomes) {
        StringBuilder table = new StringBuilder("| run | first WARN | loss spike | highest loss behind the damaged batches | steps above 1.5 there"
                + " | held-out loss at the end | against the undamaged run |\n|---|---|---|---|---|---|---|\n");
        double reference = outcomes.get(0).finalLoss();
        for (Outcome outcome : outcomes) {
            table.append(String.format(Locale.ROOT, "| %s | %s | %s | %.2f | %d | %.4f | %+.1f %% |%n", outcome.name(), step(outcome.firstWarning()), step(outcome.firstSpike()),
                    outcome.highest(), outcome.disturbed(), outcome.finalLoss(), 100 * (outcome.finalLoss() / reference - 1)));
        }
        return table.toString();
    }

    private static String step(long step) {
        return step < 0 ? "none" : "step " + step;
    }
}
