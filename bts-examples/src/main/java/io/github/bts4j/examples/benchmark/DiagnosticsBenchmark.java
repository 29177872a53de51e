package io.github.bts4j.examples.benchmark;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.metrics.Median;
import io.github.bts4j.train.optim.AdamW;
import io.github.bts4j.train.optim.AdamWConfig;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;

/**
 * The cost of Adam's diagnostics: the time of an optimizer step with and without them, in turn, beside the time of the pass before it.
 *
 * <p>Takes {@link StitchBenchmark}'s options. Prints one JSON object with medians in milliseconds, and the diagnostics' share of a whole training step.
 */
public final class DiagnosticsBenchmark {
    private DiagnosticsBenchmark() {}

    /**
     * Runs the benchmark.
     *
     * @param arguments see the class
     * @throws IOException if a model cannot be written or read
     */
    public static void main(String[] arguments) throws IOException {
        BenchmarkOptions options = BenchmarkOptions.parse(arguments);
        options.threads().ifPresent(Torch::threads);
        options.writeModels();
        try (StitchedModel model = options.openStitched(); AdamW optimizer = new AdamW(AdamWConfig.STITCH, model.getNDManager(), model.stitchTensors())) {
            System.out.println(run(options, model, optimizer));
        }
    }

    private static ObjectNode run(BenchmarkOptions options, StitchedModel model, AdamW optimizer) {
        int[][] tokens = new int[options.batch()][options.sequence() + 1];
        Random random = new Random(1);
        for (int[] row : tokens) {
            Arrays.setAll(row, i -> random.nextInt(model.vocabSize()));
        }
        double[] passes = new double[2 * options.steps()];
        double[] plain = new double[options.steps()];
        double[] measured = new double[options.steps()];
        for (int i = -2; i < passes.length; i++) { // two steps to warm up
            long begin = System.nanoTime();
            model.accumulateGradients(tokens, 1f / (options.batch() * options.sequence()), 0);
            optimizer.clip(optimizer.gradientNorm(), 1);
            long middle = System.nanoTime();
            if (i % 2 == 0) {
                optimizer.step(1e-4);
            } else {
                optimizer.measuredStep(1e-4);
            }
            long end = System.nanoTime();
            model.weightsChanged();
            if (i >= 0) {
                passes[i] = (middle - begin) / 1e6;
                (i % 2 == 0 ? plain : measured)[i / 2] = (end - middle) / 1e6;
            }
        }
        double pass = Median.of(passes);
        double step = Median.of(plain);
        double both = Median.of(measured);
        return options.describe(JsonReader.object()).put("stitch_parameters", model.config().parameterCount(model.numExperts(), model.hiddenSize()))
                .put("pass_ms", pass).put("step_ms", step).put("measured_step_ms", both).put("share_of_training_step", (both - step) / (pass + step));
    }
}
