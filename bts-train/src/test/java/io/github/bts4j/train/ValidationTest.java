package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.eval.BitsPerByte;
import io.github.bts4j.train.metrics.EvaluationMetrics;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.StepMetrics;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Validation on held-out text, the best checkpoint, early stopping, and stopping when asked. */
class ValidationTest {
    @TempDir
    private Path folder;

    private static final class Evaluations implements MetricsListener {
        final List<EvaluationMetrics> found = new ArrayList<>();
        final List<String> messages = new ArrayList<>();
        long lastStep;

        @Override
        public void onStep(StepMetrics metrics) {
            lastStep = metrics.step();
        }

        @Override
        public void onEvaluation(EvaluationMetrics metrics) {
            found.add(metrics);
        }

        @Override
        public void onMessage(String message) {
            messages.add(message);
        }
    }

    private static Map<String, List<Window>> windows() {
        Map<String, List<Window>> windows = new LinkedHashMap<>();
        windows.put("code", TinyRuns.domain("code", 3, 7).windows(TinyRuns.LENGTH).subList(200, 205));
        windows.put("math", TinyRuns.domain("math", 7, 5).windows(TinyRuns.LENGTH + 3).subList(100, 103));
        return windows;
    }

    private static double loss(CausalLm model, List<Window> windows) {
        float[][] losses = model.tokenLosses(windows.stream().map(Window::tokens).toArray(int[][]::new));
        return Arrays.stream(losses).flatMapToDouble(row -> java.util.stream.IntStream.range(0, row.length).mapToDouble(t -> row[t])).average().orElseThrow();
    }

    @Test
    void everyDomainsLossIsTheModelsOwnAndTheLastStepIsJudged() throws IOException {
        Evaluations evaluations = new Evaluations();
        try (StitchedModel model = TinyRuns.stitched(0.1);
                Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(7), evaluations)
                        .validate(Validation.of(3, windows(), token -> token % 4))) {
            trainer.run();
            assertEquals(List.of(3L, 6L, 7L), evaluations.found.stream().map(EvaluationMetrics::step).toList());
            EvaluationMetrics last = evaluations.found.get(2);
            BitsPerByte bits = new BitsPerByte(token -> token % 4, 2);
            windows().forEach((domain, list) -> {
                assertEquals(loss(model, list), last.lossByDomain().get(domain), TinyRuns.tolerance().ofLosses((float) last.loss()));
                assertEquals(bits.of(model, list), last.bitsPerByteByDomain().get(domain), TinyRuns.tolerance().ofLosses((float) last.loss()));
            });
            assertEquals((last.lossByDomain().get("code") + last.lossByDomain().get("math")) / 2, last.loss(), 1e-12, "domains count alike");
        }
    }

    @Test
    void anExpertsOwnLossesAreThoseOfTheFrozenModel() throws IOException {
        int[][] tokens = TinyRuns.domain("code", 3, 7).windows(20).subList(3, 6).stream().map(Window::tokens).toArray(int[][]::new);
        try (LlamaModel seed = LlamaModel.open(TinyRuns.golden("bts-3x4").resolve("hub")); ExpertTraining expert = ExpertTraining.branch(seed)) {
            float[][] expected = seed.tokenLosses(tokens);
            float[][] found = expert.tokenLosses(tokens);
            assertEquals(3, found.length);
            for (int row = 0; row < 3; row++) {
                TinyRuns.tolerance().assertLossesClose("row " + row, expected[row], found[row]);
            }
        }
    }

    /** A learning rate that first helps and then destroys. */
    private static TrainerConfig worsening(long steps) {
        return TrainerConfig.of(steps, 4, TinyRuns.LENGTH, new LearningRate.WarmupLinear(3, 300, 301, 0)).withSeed(9).withCheckpoints(3, 1);
    }

    private Trainer trainer(ExpertTraining expert, TrainerConfig config, Validation validation, MetricsListener listener) throws IOException {
        return new Trainer(expert, TinyRuns.data(), config, listener).validate(validation).saveTo(folder);
    }

    private static ExpertTraining expert() {
        LlamaConfig config = LlamaConfig.builder().vocabSize(TinyRuns.VOCAB).hiddenSize(32).intermediateSize(64).numLayers(2).numHeads(4)
                .numKvHeads(2).maxPositionEmbeddings(64).build();
        return ExpertTraining.fromScratch(config, 0.02, 5, Device.cpu());
    }

    @Test
    void aRunThatGetsWorseEndsEarlyAndItsBestCheckpointStays() throws IOException {
        Evaluations evaluations = new Evaluations();
        Validation validation = Validation.of(3, windows(), token -> 1).withEarlyStopping(4, 0);
        double bestLoss;
        try (ExpertTraining expert = expert(); Trainer trainer = trainer(expert, worsening(300), validation, evaluations)) {
            trainer.run();
            EvaluationMetrics best = evaluations.found.stream().min(java.util.Comparator.comparing(EvaluationMetrics::loss)).orElseThrow();
            bestLoss = best.loss();
            assertEquals(best.step() + 4 * 3, trainer.step(), "four validations after the best one");
            assertTrue(trainer.step() < 300);
            assertTrue(evaluations.messages.stream().anyMatch(m -> m.startsWith("Stopped early at step " + trainer.step())), evaluations.messages.toString());
            assertEquals("checkpoint-" + String.format("%010d", best.step()), RunCheckpoint.best(folder).orElseThrow().getFileName().toString());
            try (Stream<Path> files = Files.list(folder)) {
                assertEquals(2, files.filter(file -> file.getFileName().toString().startsWith("checkpoint-")).count(), "the last and the best");
            }
            long ended = trainer.step();
            trainer.run();
            assertEquals(ended, trainer.step());
        }
        // a resumed run knows that it has ended, and the best checkpoint holds the weights with the best loss
        try (ExpertTraining expert = expert(); Trainer trainer = trainer(expert, worsening(300), validation, evaluations)) {
            assertTrue(trainer.resumeFrom(folder));
            long step = trainer.step();
            trainer.run();
            assertEquals(step, trainer.step());
            RunCheckpoint.restoreWeights(RunCheckpoint.best(folder).orElseThrow(), expert.parameters());
            expert.weightsChanged();
            double sum = 0;
            for (List<Window> windows : windows().values()) {
                float[][] losses = expert.tokenLosses(windows.stream().map(Window::tokens).toArray(int[][]::new));
                sum += Arrays.stream(losses).flatMapToDouble(row -> java.util.stream.IntStream.range(0, row.length).mapToDouble(t -> row[t])).average().orElseThrow();
            }
            assertEquals(bestLoss, sum / 2, 1e-6);
        }
    }

    @Test
    void anInterruptedRunIsJudgedLikeAnUninterruptedOne() throws IOException {
        Validation validation = Validation.of(3, windows(), token -> 1).withEarlyStopping(4, 0);
        Evaluations whole = new Evaluations();
        try (ExpertTraining expert = expert(); Trainer trainer = new Trainer(expert, TinyRuns.data(), worsening(300), whole).validate(validation)) {
            trainer.run();
        }
        Evaluations parts = new Evaluations();
        for (int i = 1; i <= 12; i++) {
            try (ExpertTraining expert = expert(); Trainer trainer = trainer(expert, worsening(300), validation, parts)) {
                trainer.resumeFrom(folder);
                trainer.runTo(5L * i);
            }
        }
        assertEquals(whole.found, parts.found);
        assertEquals(whole.lastStep, parts.lastStep);
    }

    @Test
    void anotherValidationIsAnotherRun() throws IOException {
        Validation validation = Validation.of(3, windows(), token -> 1);
        try (ExpertTraining expert = expert(); Trainer trainer = trainer(expert, worsening(9), validation, new Evaluations())) {
            trainer.runTo(4);
        }
        try (ExpertTraining expert = expert(); Trainer trainer = trainer(expert, worsening(9), validation.withEarlyStopping(1, 0), new Evaluations())) {
            String message = assertThrows(ResumeException.class, () -> trainer.resumeFrom(folder)).getMessage();
            assertTrue(message.endsWith(": configuration validation.patience: saved 0, now 1; ResumeChange.CONFIGURATION would allow a different configuration"), message);
        }
        Evaluations changed = new Evaluations();
        try (ExpertTraining expert = expert(); Trainer trainer = trainer(expert, worsening(12), validation, changed)) {
            assertTrue(trainer.resumeFrom(folder, ResumeChange.CONFIGURATION));
            assertEquals("Resumed with a different configuration totalSteps: saved 9, now 12", changed.messages.get(0));
            assertEquals("Resumed from checkpoint-0000000004: weights, moments, step 4 of 12, data position 16, best validation at step 3",
                    changed.messages.get(changed.messages.size() - 1));
            trainer.run();
            assertEquals(12, trainer.step());
        }
    }

    @Test
    void changedDataMustBeAskedForAndBaseModelsNeverChange() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0.1);
                Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(6), metrics -> { }).saveTo(folder)) {
            trainer.runTo(2);
        }
        try (StitchedModel model = TinyRuns.stitched(0.1);
                Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data().withSeed(4), TinyRuns.config(6), metrics -> { })) {
            assertThrows(ResumeException.class, () -> trainer.resumeFrom(folder, ResumeChange.CONFIGURATION));
            assertTrue(trainer.resumeFrom(folder, ResumeChange.DATA));
            assertEquals(2, trainer.step());
        }
        try (StitchedModel model = TinyRuns.stitched(0.2);
                Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(6), metrics -> { })) {
            String message = assertThrows(ResumeException.class,
                    () -> trainer.resumeFrom(folder, ResumeChange.values())).getMessage();
            assertTrue(message.contains("stitch.dropout: saved 0.1, now 0.2"), message);
        }
    }

    @Test
    void aRunThatIsAskedToStopDoesSoWithACheckpoint() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0.1)) {
            Evaluations evaluations = new Evaluations();
            Trainer[] itself = new Trainer[1];
            MetricsListener stopping = metrics -> {
                if (metrics.step() == 3) {
                    itself[0].stop();
                }
            };
            try (Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(6), MetricsListener.all(stopping, evaluations))
                    .saveTo(folder)) {
                itself[0] = trainer;
                trainer.run();
                assertEquals(3, trainer.step());
            }
            assertEquals("Stopped at step 3 of 6, as requested; saved in " + folder, evaluations.messages.get(evaluations.messages.size() - 1));
        }
        List<String> end = ChildRun.run("stitch", folder, TinyRuns.config(6), 6);
        List<String> whole = ChildRun.run("stitch", folder.resolve("whole"), TinyRuns.config(6), 6);
        assertEquals(whole.subList(3, whole.size()), end);
    }

    @Test
    void wrongValuesAreRefusedAllAtOnce() {
        String message = assertThrows(IllegalArgumentException.class,
                () -> new Validation(0, Map.of("code", List.of()), token -> 1, 0, -1, Double.NaN)).getMessage();
        for (String part : List.of("every = 0", "batchSize = 0", "patience = -1", "minDelta = NaN", "domain 'code' has no window")) {
            assertTrue(message.contains(part), message);
        }
        assertFalse(message.contains("has no domain"), message);
    }
}
