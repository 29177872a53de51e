package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.data.Batch;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.metrics.StepMetrics;
import io.github.bts4j.train.optim.AdamW;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.LearningRate;
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
