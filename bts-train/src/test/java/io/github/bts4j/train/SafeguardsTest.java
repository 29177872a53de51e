package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.metrics.TensorMetrics;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.LearningRate;
import io.github.bts4j.train.optim.TensorClipping;
import io.github.bts4j.train.optim.ZClip;
import io.github.bts4j.train.stability.Reaction;
import io.github.bts4j.train.stability.Safeguards;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run does about spikes, alarms, and steps that are not finite. */
class SafeguardsTest {
    private static final int STEPS = 80;

    @TempDir
    private Path folder;

    /** Adds to the losses of certain batches, known by their tokens; the gradients stay what they are. */
    static final class Poisoned extends ForwardingTrainable {
        private final Set<String> batches;
        private final float extra;

        Poisoned(Trainable inner, float extra, long... batches) {
            super(inner);
            this.extra = extra;
            this.batches = LongStream.of(batches).mapToObj(batch -> key(rows(batch))).collect(Collectors.toCollection(HashSet::new));
        }

        private static int[][] rows(long batch) {
            int width = TinyRuns.LENGTH + 1;
            int[] tokens = TinyRuns.data().batch(batch * 4, 4, TinyRuns.LENGTH).tokens();
            return new int[][] {Arrays.copyOf(tokens, width), Arrays.copyOfRange(tokens, 3 * width, 4 * width)};
        }

        private static String key(int[][] rows) {
            return Arrays.toString(rows[0]) + Arrays.toString(rows[rows.length - 1]);
        }

        @Override
        public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
            float[] losses = super.accumulateGradients(tokens, tokenWeight, seed);
            if (batches.contains(key(tokens))) {
                for (int i = 0; i < losses.length; i++) {
                    losses[i] += extra;
                }
            }
            return losses;
        }
    }

    private record Outcome(Map<String, String> weights, TinyRuns.Record record) {
        List<Long> steps() {
            return record.steps.stream().map(metrics -> metrics.step()).toList();
        }

        String messages() {
            return String.join("\n", record.messages);
        }
    }

    private static Outcome run(TrainerConfig config, Path folder, float extra, long[] poisoned, long... stops) throws IOException {
        TinyRuns.Record record = new TinyRuns.Record();
        Map<String, String> weights = Map.of();
        for (long stop : stops) { // every stop but the last is an interruption
            try (StitchedModel model = TinyRuns.stitched(0.1);
                    Trainer trainer = new Trainer(new Poisoned(new StitchTraining(model), extra, poisoned), TinyRuns.data(), config, record).saveTo(folder)) {
                trainer.resumeFrom(folder);
                trainer.runTo(stop);
                weights = TinyRuns.hashes(model.stitchTensors());
            }
        }
        return new Outcome(weights, record);
    }

    private static TrainerConfig config(Safeguards safeguards) {
        return TinyRuns.config(STEPS).withCheckpoints(10, 5).withSafeguards(safeguards);
    }

    private static final long[] NONE = {};

    @Test
    void aRewindGoesBackAndLeavesTheBatchesOut() throws IOException {
        Safeguards rewind = Safeguards.OFF.withReactions(new Reaction.Rewind(15, 30));
        Outcome spiked = run(config(rewind), folder.resolve("spiked"), 50, new long[] {60}, STEPS);
        // batch 60 makes step 61, which goes back to the checkpoint of step 40, at most 46; the next batch would be 61, and becomes 91
        assertTrue(spiked.messages().contains("Loss spike at step 61"), spiked.messages());
        assertTrue(spiked.messages().contains("Rewound from step 61 to 40 and skipped 30 batches after loss spike at step 61"), spiked.messages());
        assertEquals(LongStream.concat(LongStream.rangeClosed(1, 61), LongStream.rangeClosed(41, STEPS)).boxed().toList(), spiked.steps());
        Outcome skipped = run(config(Safeguards.OFF.withSkippedBatches("40-90")), folder.resolve("skipped"), 0, NONE, STEPS);
        assertEquals(skipped.weights(), spiked.weights());
        assertNotEquals(run(config(Safeguards.OFF), folder.resolve("plain"), 0, NONE, STEPS).weights(), spiked.weights());
    }

    @Test
    void anInterruptedRunRewindsAsTheUninterruptedOne() throws IOException {
        Safeguards rewind = Safeguards.OFF.withMeasurements(1).withZClip(1.5).withReactions(new Reaction.Rewind(15, 30), new Reaction.LearningRateBackoff(0.5));
        long[] poisoned = {60, 100};
        Outcome whole = run(config(rewind), folder.resolve("whole"), 50, poisoned, STEPS);
        Outcome pieces = run(config(rewind), folder.resolve("pieces"), 50, poisoned, 33, 59, 61, 70, STEPS);
        assertEquals(whole.weights(), pieces.weights());
        assertTrue(whole.messages().contains("Learning rate times 0.5 (0.25 in total)"), whole.messages());
    }

    @Test
    void theLearningRateIsLowerFromTheStepBehindTheSpikeOn() throws IOException {
        Outcome outcome = run(config(Safeguards.OFF.withReactions(new Reaction.LearningRateBackoff(0.25))), folder, 50, new long[] {60}, STEPS);
        outcome.record().steps.forEach(metrics -> assertEquals(TinyRuns.config(STEPS).learningRate().at(metrics.step() - 1) * (metrics.step() > 61 ? 0.25 : 1),
                metrics.learningRate(), 1e-15, "step " + metrics.step()));
    }

    /** With eps far above the gradients until they are scaled up: the alarm of the diagnostics, not the loss, brings the reaction. */
    @Test
    void anAlarmBringsTheReactionsIfItIsAskedTo() throws IOException {
        AdamWConfig adam = new AdamWConfig(0.9, 0.95, 10, 0);
        Safeguards reset = Safeguards.OFF.withMeasurements(1).withReactions(new Reaction.MomentReset("stitch[.][0-9]+[.]gate[.].*"));
        for (Safeguards safeguards : List.of(reset, reset.withAlarms())) {
            TinyRuns.Record record = new TinyRuns.Record();
            try (StitchedModel model = TinyRuns.stitched(0)) {
                Trainable scaled = new ForwardingTrainable(new StitchTraining(model)) {
                    private int passes;
                    private int[][] first;

                    @Override
                    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
                        first = passes == 0 ? tokens : first;
                        return passes++ < 50 ? super.accumulateGradients(tokens, tokenWeight, seed) : super.accumulateGradients(first, 1e5f * tokenWeight, seed);
                    }
                };
                TrainerConfig config = TrainerConfig.of(60, 4, TinyRuns.LENGTH, new LearningRate.Constant(1e-5)).withOptimizer(adam)
                        .withMaxGradNorm(Double.POSITIVE_INFINITY).withSafeguards(safeguards);
                try (Trainer trainer = new Trainer(scaled, TinyRuns.data(), config, record)) {
                    trainer.run();
                }
            }
            String messages = String.join("\n", record.messages);
            assertTrue(messages.contains("WARN at step 21") && messages.contains("ALARM at step 57"), messages);
            assertTrue(!messages.contains("Loss spike"), messages);
            assertEquals(safeguards.reactToAlarms(), messages.contains("Moments of 2 tensors set to zero after alarm at step 57"), messages);
        }
    }

    @Test
    void whatIsClippedIsTold() throws IOException {
        TrainerConfig config = config(Safeguards.OFF.withZClip(0.5)).withMaxGradNorm(Double.POSITIVE_INFINITY);
        Outcome zClip = run(config, folder.resolve("z"), 0, NONE, STEPS);
        List<String> told = zClip.record().messages.stream().filter(message -> message.startsWith("ZClip at step")).toList();
        assertTrue(!told.isEmpty(), zClip.messages());
        for (String message : told) { // ZClip at step 27: gradient norm 0.3 is an outlier, clipped to 0.2
            String[] words = message.split("[ :,]+");
            double norm = zClip.record().steps.get(Integer.parseInt(words[3]) - 1).gradNorm();
            assertEquals(norm, Double.parseDouble(words[6]), 1e-3 * norm, message);
            assertTrue(Double.parseDouble(words[words.length - 1]) < norm, message);
        }
        Outcome tensors = run(config(Safeguards.OFF.withMeasurements(10).withTensorClipping(new TensorClipping(1, 0.5, 5))), folder.resolve("t"), 0, NONE, STEPS);
        assertTrue(tensors.messages().matches("(?s).*Clipping by tensor at step 20: \\d+ gradients; the strongest was stitch[^ ]+, scaled by 0[.]\\d{3}.*"),
                tensors.messages());
    }

    @Test
    void theReactionsAreCountedAndEnd() throws IOException {
        Safeguards once = new Safeguards(0, List.of(new Reaction.MomentReset()), false, 1, 0, Safeguards.OFF.skipBatches(), Double.POSITIVE_INFINITY,
                TensorClipping.OFF);
        Outcome outcome = run(config(once), folder, 50, new long[] {30, 60}, STEPS);
        assertTrue(outcome.messages().contains("Moments of 6 tensors set to zero after loss spike at step 31"), outcome.messages());
        assertTrue(outcome.messages().contains("No reaction to loss spike at step 61"), outcome.messages());
    }

    @Test
    void stepsThatAreNotFiniteAreLeftOutUpToALimit() throws IOException {
        Safeguards two = Safeguards.OFF.withNonFiniteSteps(2);
        Outcome outcome = run(config(two), folder.resolve("two"), Float.POSITIVE_INFINITY, new long[] {5, 20}, STEPS);
        assertEquals(STEPS - 2, outcome.steps().size());
        assertTrue(outcome.messages().contains("Step 5 skipped: loss Infinity") && outcome.messages().contains("(2 of at most 2 such steps)"), outcome.messages());
        TrainingDivergedException third = assertThrows(TrainingDivergedException.class,
                () -> run(config(two), folder.resolve("three"), Float.POSITIVE_INFINITY, new long[] {5, 20, 33}, STEPS));
        assertEquals(33, third.step());
    }

    @Test
    void measurementsReachTheMetricsAndChangeNothing() throws IOException {
        Outcome plain = run(config(Safeguards.OFF), folder.resolve("plain"), 0, NONE, STEPS);
        Outcome measured = run(config(Safeguards.OFF.withMeasurements(10)), folder.resolve("measured"), 0, NONE, STEPS);
        assertEquals(plain.weights(), measured.weights());
        Map<String, Double> extra = measured.record().steps.get(49).extra();
        for (String name : List.of("adam/all/variance_inflation", "adam/stitch.gate/saturation", "adam/stitch.proj/update_rms", "adam/all/update_jump", "adam/level")) {
            assertTrue(extra.containsKey(name), name + " is not in " + extra.keySet());
        }
        assertTrue(extra.get("adam/all/gradient_over_eps") > 10, extra.toString());
        assertEquals(0, measured.record().steps.get(48).extra().size());
        assertEquals(List.of(10L, 20L, 30L, 40L, 50L, 60L, 70L, 80L), measured.record().tensors.stream().map(TensorMetrics::step).toList());
        assertEquals(measured.weights().keySet(), measured.record().tensors.get(4).byTensor().keySet());
    }

    @Test
    void zClipClipsWhatTheAuthorsCodeClips() throws IOException, URISyntaxException {
        JsonNode golden = new ObjectMapper().readTree(Path.of(SafeguardsTest.class.getResource("zclip.json").toURI()).toFile());
        ZClip clip = new ZClip(ZClip.THRESHOLD);
        ZClip restored = new ZClip(ZClip.THRESHOLD);
        int clipped = 0;
        for (int step = 0; step < golden.get("norms").size(); step++) {
            double norm = golden.get("norms").get(step).asDouble();
            double expected = golden.get("clipped").get(step).asDouble();
            restored.restore(clip.state());
            assertEquals(expected, clip.limit(norm), 1e-5 * expected, "step " + step);
            assertEquals(expected, restored.limit(norm), 1e-5 * expected, "restored at step " + step);
            clipped += expected < 0.999 * norm ? 1 : 0;
        }
        assertTrue(clipped > 5, clipped + " norms are clipped");
        TrainerConfig unlimited = config(Safeguards.OFF).withMaxGradNorm(Double.POSITIVE_INFINITY);
        Outcome plain = run(unlimited, folder.resolve("plain"), 0, NONE, STEPS);
        Outcome limited = run(unlimited.withSafeguards(Safeguards.OFF.withZClip(0.5)), folder.resolve("clipped"), 0, NONE, STEPS);
        assertNotEquals(plain.weights(), limited.weights());
        assertThrows(IllegalArgumentException.class, () -> Safeguards.OFF.withZClip(0));
    }

    @Test
    void aRewindThatCannotWorkIsRefused() {
        Safeguards rewind = Safeguards.OFF.withReactions(new Reaction.Rewind(100, 200));
        String message = assertThrows(IllegalArgumentException.class, () -> TinyRuns.config(5).withCheckpoints(10, 5).withSafeguards(rewind)).getMessage();
        assertTrue(message.contains("Rewind(steps = 100) needs run checkpoints that reach back that far") && message.contains("only reach back 40 steps"), message);
        TrainerConfig config = TinyRuns.config(5).withCheckpoints(50, 3).withSafeguards(rewind);
        assertThrows(IllegalStateException.class, () -> {
            try (StitchedModel model = TinyRuns.stitched(0); Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), config, metrics -> { })) {
                trainer.run();
            }
        });
        assertThrows(IllegalArgumentException.class, () -> new Reaction.Rewind(0, 1));
        assertThrows(IllegalArgumentException.class, () -> new Reaction.LearningRateBackoff(1));
        assertThrows(IllegalArgumentException.class, Safeguards.OFF::withAlarms);
    }

    @Test
    @Tag("slow")
    void aHealthyRunOfFiveThousandStepsRaisesNoAlarm() throws IOException {
        TrainerConfig config = TinyRuns.config(5000).withSafeguards(Safeguards.OFF.withMeasurements(1));
        Outcome outcome = run(config, folder, 0, NONE, 5000);
        assertEquals(5000, outcome.steps().size());
        assertTrue(outcome.record().steps.stream().noneMatch(metrics -> metrics.extra().get("adam/level") == 3), outcome.messages());
        assertTrue(!outcome.messages().contains("Loss spike"), outcome.messages());
    }
}
