package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.data.Batch;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.metrics.StepMetrics;
import io.github.bts4j.train.optim.AdamW;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.LearningRate;
import io.github.bts4j.train.stability.Safeguards;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One trainer for stitch layers and experts: what a step does, reports and leaves behind. */
class TrainerTest {
    private static int managed() {
        return Torch.manager().getManagedArrays().size();
    }

    @Test
    void everyStepLeavesAsManyTensorsAsTheOneBefore() throws IOException {
        int before = managed();
        try (StitchedModel model = TinyRuns.stitched(0.1);
                Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(4), metrics -> { })) {
            assertConstant(trainer, model.stitchTensors().size());
        }
        assertEquals(before, managed(), "a closed model leaves no tensor");
        try (LlamaModel seed = LlamaModel.open(TinyRuns.golden("bts-3x4").resolve("hub")); ExpertTraining expert = ExpertTraining.branch(seed);
                Trainer trainer = new Trainer(expert, TinyRuns.data(), TinyRuns.config(4).withAccumulation(2), metrics -> { })) {
            assertConstant(trainer, expert.parameters().size());
        }
        assertEquals(before, managed());
    }

    /** The losses of a run are the same whether or not another trainer of the model is closed in its midst. */
    @Test
    void aTrainerThatIsClosedDoesNotEndAnothersTraining() throws IOException {
        List<Double> losses = new ArrayList<>();
        try (StitchedModel model = TinyRuns.stitched(0.1)) {
            Trainer first = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(4), metrics -> { });
            try (Trainer second = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(4), metrics -> losses.add(metrics.loss()))) {
                second.runTo(2);
                first.close();
                second.run();
            }
        }
        List<Double> alone = new ArrayList<>();
        try (StitchedModel model = TinyRuns.stitched(0.1);
                Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(4), metrics -> alone.add(metrics.loss()))) {
            trainer.run();
        }
        assertEquals(alone, losses);
    }

    private static void assertConstant(Trainer trainer, int parameters) throws IOException {
        List<Integer> counts = new ArrayList<>();
        for (int step = 1; step <= 3; step++) {
            trainer.runTo(step);
            counts.add(managed());
        }
        assertTrue(counts.get(0) >= 4 * parameters, "weights, two moments and a step count per tensor: " + counts);
        assertEquals(List.of(counts.get(0), counts.get(0), counts.get(0)), counts);
    }

    @Test
    void aNanInTheWeightsStopsTheRunAndChangesNothing() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0); NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> values = new LinkedHashMap<>(model.stitchTensors());
            float[] broken = values.get("stitch.1.proj.1.weight").toFloatArray();
            broken[5] = Float.NaN;
            values.put("stitch.1.proj.1.weight", Tensors.of(scope, broken, 48, 48));
            model.setStitchTensors(values);
            Map<String, String> before = TinyRuns.hashes(model.stitchTensors());
            TinyRuns.Record record = new TinyRuns.Record();
            try (Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(4), record)) {
                TrainingDivergedException diverged = assertThrows(TrainingDivergedException.class, trainer::run);
                assertEquals(0, diverged.step());
                assertTrue(Double.isNaN(diverged.loss()) && Double.isNaN(diverged.gradientNorm()), diverged.getMessage());
                assertTrue(diverged.getMessage().contains("step 0: loss = NaN, gradient norm = NaN"), diverged.getMessage());
                assertEquals(0, trainer.step());
            }
            assertEquals(before, TinyRuns.hashes(model.stitchTensors()));
            assertEquals(List.of(), record.steps);
        }
    }

    @Test
    void aRunThatDivergesLaterKeepsTheWeightsOfTheStepBefore(@TempDir Path folder) throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0)) {
            TinyRuns.Record record = new TinyRuns.Record();
            try (Trainer trainer = new Trainer(new Failing(new StitchTraining(model), 3), TinyRuns.data(), TinyRuns.config(6), record)
                    .saveTo(folder)) {
                trainer.runTo(3);
                Map<String, String> before = TinyRuns.hashes(model.stitchTensors());
                TrainingDivergedException diverged = assertThrows(TrainingDivergedException.class, trainer::run);
                assertEquals(3, diverged.step());
                assertEquals(Double.POSITIVE_INFINITY, diverged.loss());
                assertTrue(diverged.gradientNorm() > 0, diverged.getMessage());
                assertEquals(before, TinyRuns.hashes(model.stitchTensors()));
                assertEquals(3, trainer.step());
                trainer.runTo(4); // the gradients of the failed step are gone: this is step 3 as it should have been
            }
            Map<String, String> after = TinyRuns.hashes(model.stitchTensors());
            try (StitchedModel other = TinyRuns.stitched(0);
                    Trainer trainer = new Trainer(new StitchTraining(other), TinyRuns.data(), TinyRuns.config(6), metrics -> { })) {
                trainer.runTo(4);
                assertEquals(TinyRuns.hashes(other.stitchTensors()), after);
            }
            assertEquals(4, record.steps.size());
        }
    }

    /** Reports one infinite loss, once. */
    private static final class Failing extends ForwardingTrainable {
        private int passesLeft;

        Failing(Trainable inner, int passes) {
            super(inner);
            this.passesLeft = passes;
        }

        @Override
        public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
            float[] losses = super.accumulateGradients(tokens, tokenWeight, seed);
            if (passesLeft-- == 0) {
                losses[1] = Float.POSITIVE_INFINITY;
            }
            return losses;
        }
    }

    @Test
    void twoPassesOfTwoSequencesAreOnePassOfFour() throws IOException {
        TinyRuns.Record one = new TinyRuns.Record();
        TinyRuns.Record two = new TinyRuns.Record();
        Map<String, float[]> expected = train(TinyRuns.config(5), one);
        TrainerConfig config = TrainerConfig.of(5, 2, TinyRuns.LENGTH, TinyRuns.config(5).learningRate()).withSeed(9).withAccumulation(2);
        train(config, two).forEach((name, values) -> {
            double error = GoldenCase.relativeError(expected.get(name), values);
            // five steps of Adam, whose first ones move each weight by the rate whatever its gradient: an error of the gradient moves little more than itself
            assertTrue(error <= TinyRuns.tolerance().times(5).ofNorm(), name + ": relative error " + error);
        });
        assertEquals(5, two.steps.size());
        for (int step = 0; step < 5; step++) {
            assertEquals(one.losses().get(step), two.losses().get(step), TinyRuns.tolerance().ofLosses(one.losses().get(step).floatValue()));
            assertEquals(one.steps.get(step).tokensSeen(), two.steps.get(step).tokensSeen());
        }
    }

    private static Map<String, float[]> train(TrainerConfig config, TinyRuns.Record record) throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0);
                Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), config, record)) {
            trainer.run();
            return TinyRuns.values(model.stitchTensors());
        }
    }

    @Test
    void aStepReportsTheLossOfItsDomainsBeforeTheUpdate() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0)) {
            Datamix data = TinyRuns.data();
            Batch batch = data.batch(0, 8, TinyRuns.LENGTH);
            double[] sums = new double[2];
            int[] counts = new int[2];
            for (int row = 0; row < 8; row++) {
                int width = TinyRuns.LENGTH + 1;
                for (float loss : model.tokenLosses(new int[][] {Arrays.copyOfRange(batch.tokens(), row * width, (row + 1) * width)})[0]) {
                    sums[batch.domains()[row]] += loss;
                    counts[batch.domains()[row]]++;
                }
            }
            assertEquals(List.of("code", "math"), data.domains());
            assertTrue(counts[0] > counts[1] && counts[1] > 0, "three of four sequences are code");
            TinyRuns.Record record = new TinyRuns.Record();
            try (Trainer trainer = new Trainer(new StitchTraining(model), data, TinyRuns.config(6).withAccumulation(2), record)) {
                trainer.runTo(1);
            }
            StepMetrics step = record.steps.get(0);
            assertEquals(List.of("code", "math"), List.copyOf(step.lossByDomain().keySet()));
            assertEquals(sums[0] / counts[0], step.lossByDomain().get("code"), TinyRuns.tolerance().ofLosses((float) step.loss()));
            assertEquals(sums[1] / counts[1], step.lossByDomain().get("math"), TinyRuns.tolerance().ofLosses((float) step.loss()));
            assertEquals((sums[0] + sums[1]) / (counts[0] + counts[1]), step.loss(), TinyRuns.tolerance().ofLosses((float) step.loss()));
            assertEquals(8 * TinyRuns.LENGTH, step.tokensSeen());
        }
    }

    @Test
    void theScheduleIsFollowedFromStepToStep() throws IOException {
        TinyRuns.Record record = new TinyRuns.Record();
        train(TrainerConfig.of(8, 1, 8, new LearningRate.WarmupLinear(0.008, 4, 8, 0)), record);
        List<Double> rates = record.steps.stream().map(StepMetrics::learningRate).toList();
        double[] expected = {0.002, 0.004, 0.006, 0.008, 0.008, 0.006, 0.004, 0.002};
        assertArrayEquals(expected, rates.stream().mapToDouble(Double::doubleValue).toArray(), 1e-12);
        assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L), record.steps.stream().map(StepMetrics::step).toList());
        assertEquals(8, record.steps.get(0).tokensSeen());
        assertEquals(64, record.steps.get(7).tokensSeen());
    }

    /** With a large eps the first update is nearly proportional to the gradient, so that clipping shows: w - lr (wd w + g / (|g| + eps)). */
    @Test
    void theFirstUpdateIsThatOfTheClippedGradient() throws IOException {
        double eps = 0.5;
        double rate = 0.25;
        for (double limit : new double[] {0.05, Double.POSITIVE_INFINITY}) {
            TrainerConfig config = TrainerConfig.of(1, 2, TinyRuns.LENGTH, new LearningRate.Constant(rate))
                    .withOptimizer(new AdamWConfig(0.9, 0.95, eps, 0.1)).withMaxGradNorm(limit);
            try (StitchedModel model = TinyRuns.stitched(0)) {
                Map<String, float[]> start = TinyRuns.values(model.stitchTensors());
                Map<String, float[]> gradients = gradients(model, config);
                double squares = 0;
                for (float[] gradient : gradients.values()) {
                    for (float g : gradient) {
                        squares += (double) g * g;
                    }
                }
                TinyRuns.Record record = new TinyRuns.Record();
                try (Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), config, record)) {
                    trainer.run();
                }
                assertEquals(Math.sqrt(squares), record.steps.get(0).gradNorm(), 1e-5 * Math.sqrt(squares), "the norm before clipping");
                assertTrue(Math.sqrt(squares) > 0.05);
                double factor = Math.min(1, limit / Math.sqrt(squares));
                TinyRuns.values(model.stitchTensors()).forEach((name, found) -> {
                    for (int i = 0; i < found.length; i++) {
                        double g = factor * gradients.get(name)[i];
                        double expected = start.get(name)[i] * (1 - rate * 0.1) - rate * g / (Math.abs(g) + eps);
                        assertEquals(expected, found[i], 1e-6, name + ", limit " + limit);
                    }
                });
            }
        }
    }

    private static Map<String, float[]> gradients(StitchedModel model, TrainerConfig config) {
        Batch batch = TinyRuns.data().batch(0, config.batches().microBatch(), config.batches().sequenceLength());
        int width = config.batches().sequenceLength() + 1;
        int[][] rows = new int[batch.batchSize()][];
        for (int row = 0; row < rows.length; row++) {
            rows[row] = Arrays.copyOfRange(batch.tokens(), row * width, (row + 1) * width);
        }
        Map<String, float[]> gradients = new LinkedHashMap<>();
        try (AdamW marks = new AdamW(AdamWConfig.STITCH, model.getNDManager(), model.stitchTensors())) {
            model.accumulateGradients(rows, 1f / (config.batches().microBatch() * config.batches().sequenceLength()), 0);
            model.stitchTensors().forEach((name, tensor) -> {
                try (NDArray gradient = tensor.getGradient()) {
                    gradients.put(name, gradient.toFloatArray());
                }
            });
            marks.zeroGradients();
        }
        return gradients;
    }

    @Test
    void anExpertLearnsATinyTextFromRandomWeights(@TempDir Path folder) throws IOException {
        LlamaConfig config = LlamaConfig.builder().vocabSize(TinyRuns.VOCAB).hiddenSize(32).intermediateSize(64).numLayers(2).numHeads(4)
                .numKvHeads(2).maxPositionEmbeddings(64).build();
        TinyRuns.Record record = new TinyRuns.Record();
        Datamix data = Datamix.of(List.of(TinyRuns.domain("code", 3, 7)), Map.of("code", 1.0));
        TrainerConfig run = TrainerConfig.of(80, 8, TinyRuns.LENGTH, new LearningRate.WarmupCosine(0.02, 5, 80, 0.1));
        try (ExpertTraining expert = ExpertTraining.fromScratch(config, 0.02, 5, Device.cpu());
                Trainer trainer = new Trainer(expert, data, run, record)) {
            trainer.run();
            assertEquals(Math.log(TinyRuns.VOCAB), record.losses().get(0), 0.1, "random weights know nothing");
            double last = record.losses().subList(70, 80).stream().mapToDouble(Double::doubleValue).average().orElseThrow();
            assertTrue(last < 0.5 * record.losses().get(0), "mean loss of the last ten steps: " + last);
            expert.save(folder.resolve("expert"), TinyRuns.golden("bts-3x4"));
            int[][] tokens = {Arrays.copyOf(data.batch(900, 1, 31).tokens(), 32)};
            try (FrozenLm frozen = expert.freeze("frozen"); LlamaModel saved = LlamaModel.open(folder.resolve("expert"));
                    NDManager scope = Torch.manager().newSubManager()) {
                NDArray ids = TokenBatch.tensor(scope, tokens, 0, 32, TinyRuns.VOCAB);
                assertArrayEquals(frozen.forward(ids).toFloatArray(), saved.forward(ids).toFloatArray());
                double sum = 0;
                for (float loss : saved.tokenLosses(tokens)[0]) {
                    sum += loss / 31;
                }
                assertTrue(sum < 0.6 * record.losses().get(0), "loss of the saved model: " + sum);
            }
        }
    }

    @Test
    void theSameSeedGivesTheSameWeightsAndAnotherSeedOthers() {
        LlamaConfig config = LlamaConfig.builder().vocabSize(20).hiddenSize(16).intermediateSize(16).numLayers(1).numHeads(2)
                .maxPositionEmbeddings(16).build();
        try (ExpertTraining first = ExpertTraining.fromScratch(config, 0.02, 5, Device.cpu());
                ExpertTraining again = ExpertTraining.fromScratch(config, 0.02, 5, Device.cpu());
                ExpertTraining other = ExpertTraining.fromScratch(config, 0.02, 6, Device.cpu())) {
            assertEquals(TinyRuns.hashes(first.parameters()), TinyRuns.hashes(again.parameters()));
            assertNotEquals(TinyRuns.hashes(first.parameters()), TinyRuns.hashes(other.parameters()));
        }
    }

    @Test
    void aConfigurationOutOfRangeIsRefusedWithEveryProblem() {
        String message = assertThrows(IllegalArgumentException.class, () -> new TrainerConfig(0, new TrainerConfig.Batches(0, 0, 0, BatchRamp.NONE, 0), new LearningRate.Constant(1),
                new TrainerConfig.Optimization(AdamWConfig.STITCH, Double.NaN, 1, List.of()), 0, new TrainerConfig.Checkpoints(-1, 0), Safeguards.OFF)).getMessage();
        for (String part : List.of("totalSteps = 0 is below 1", "microBatch = 0", "accumulation = 0", "sequenceLength = 0", "checkpointEvery = -1",
                "keepCheckpoints = 0", "maxGradNorm = NaN", "averageDecay = 1.0 is outside [0, 1)")) {
            assertTrue(message.contains(part), part + " is not in: " + message);
        }
    }

    /** The numbers of arXiv 2307.09288, section 2.2. */
    @Test
    void llama2sRecipe() {
        TrainerConfig config = TrainerConfig.llama2(500_000, 8, 4096, 3e-4);
        assertEquals(4L << 20, (long) config.sequencesPerStep() * config.batches().sequenceLength());
        assertEquals(new AdamWConfig(0.9, 0.95, 1e-5, 0.1), config.optimization().optimizer());
        assertEquals(1, config.optimization().maxGradNorm());
        assertEquals(1.5e-4, config.learningRate().at(999), 1e-12);
        assertEquals(3e-4, config.learningRate().at(1999), 1e-12);
        assertEquals(3e-5, config.learningRate().at(499_999), 1e-8);
    }

    /** The average of torch.optim.swa_utils.AveragedModel: the first step's weights, then decay * average + (1 - decay) * weights. */
    @Test
    void theAverageFollowsTheWeightsAndIsResumed(@TempDir Path folder) throws IOException {
        TrainerConfig config = TinyRuns.config(6).withWeightAverage(0.75);
        Map<String, double[]> expected = new TreeMap<>();
        for (int end = 1; end <= 6; end++) {
            try (StitchedModel model = TinyRuns.stitched(0.1);
                    Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), config, metrics -> { }).saveTo(folder)) {
                assertEquals(end > 1, trainer.resumeFrom(folder));
                trainer.runTo(end);
                boolean first = end == 1;
                TinyRuns.values(model.stitchTensors()).forEach((name, values) -> {
                    double[] average = expected.computeIfAbsent(name, n -> new double[values.length]);
                    for (int i = 0; i < values.length; i++) {
                        average[i] = first ? values[i] : 0.75 * average[i] + 0.25 * values[i];
                    }
                });
                if (end == 6) {
                    trainer.adoptAverages();
                    TinyRuns.values(model.stitchTensors()).forEach((name, values) -> {
                        for (int i = 0; i < values.length; i++) {
                            assertEquals(expected.get(name)[i], values[i], 1e-6, name);
                        }
                    });
                }
            }
        }
    }

    @Test
    void aBatchThatGrowsTakesEverySequenceOnceAndWeighsItsTokensAlike(@TempDir Path folder) throws IOException {
        TrainerConfig config = TinyRuns.config(6).withAccumulation(4).withBatchRamp(new BatchRamp(1, 4));
        TinyRuns.Record record = new TinyRuns.Record();
        List<int[][]> passes = new ArrayList<>();
        List<Float> weights = new ArrayList<>();
        try (StitchedModel model = TinyRuns.stitched(0.1)) {
            Trainable recording = new ForwardingTrainable(new StitchTraining(model)) {
                @Override
                public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
                    passes.add(tokens);
                    weights.add(tokenWeight);
                    return super.accumulateGradients(tokens, tokenWeight, seed);
                }
            };
            try (Trainer trainer = new Trainer(recording, TinyRuns.data(), config, record).saveTo(folder)) {
                trainer.run();
            }
        }
        int[] growing = {1, 2, 3, 3, 4, 4}; // 1 + 3 * step / 4, rounded: 1, 1.75, 2.5, 3.25, 4, 4
        int at = 0;
        for (int step = 0; step < 6; step++) {
            for (int pass = 0; pass < growing[step]; pass++, at++) {
                assertEquals(1f / (growing[step] * 4 * TinyRuns.LENGTH), weights.get(at), 1e-9f, "step " + step);
                Batch batch = TinyRuns.data().batch(4L * at, 4, TinyRuns.LENGTH);
                assertArrayEquals(batch.tokens(), Arrays.stream(passes.get(at)).flatMapToInt(Arrays::stream).toArray());
            }
        }
        assertEquals(17, at);
        assertEquals(17, passes.size());
        assertEquals(17L * 4, RunCheckpoint.state(RunCheckpoint.latest(folder).orElseThrow()).position());
        assertEquals(17L * 4 * TinyRuns.LENGTH, record.steps.get(5).tokensSeen());
    }
}
