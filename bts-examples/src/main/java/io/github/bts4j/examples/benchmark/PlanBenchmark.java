package io.github.bts4j.examples.benchmark;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.TrainingPlan;
import io.github.bts4j.train.optim.AdamW;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;

/**
 * Compares {@link TrainingPlan}'s peak of memory with that of two training steps in this process (Linux). Takes {@link StitchBenchmark}'s options, and the
 * activation checkpointing as system property {@code checkpointing}; prints one JSON object. One process measures one setting: memory is not given back.
 */
public final class PlanBenchmark {
    private PlanBenchmark() {}

    /**
     * Runs the benchmark.
     *
     * @param arguments see the class
     * @throws IOException if a model cannot be written or read
     * @throws InterruptedException if interrupted
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        BenchmarkOptions options = BenchmarkOptions.parse(arguments);
        options.threads().ifPresent(Torch::threads);
        ActivationCheckpointing checkpointing = ActivationCheckpointing.valueOf(System.getProperty("checkpointing", "off").toUpperCase(Locale.ROOT));
        ObjectNode result = options.describe(JsonReader.object()).put("checkpointing", checkpointing.name());
        Torch.start();
        result.put("started_mib", ProcessMemory.anonymousMib());
        try (StitchedModel model = options.openStitched(); AdamW optimizer = new AdamW(AdamWConfig.STITCH, model.getNDManager(), model.stitchTensors())) {
            TrainerConfig config = TrainerConfig.of(1, options.batch(), options.sequence(), new LearningRate.Constant(1e-4));
            TrainingPlan plan = TrainingPlan.of(model.models().stream().map(LlamaModel::config).toList(), options.precision(), model.config(), config,
                    checkpointing);
            result.put("loaded_mib", ProcessMemory.anonymousMib());
            int[][] tokens = new int[options.batch()][options.sequence() + 1];
            Random random = new Random(1);
            for (int[] row : tokens) {
                Arrays.setAll(row, i -> random.nextInt(model.vocabSize()));
            }
            double peak = ProcessMemory.peakMib(() -> {
                for (int step = 0; step < 2; step++) {
                    model.accumulateGradients(tokens, 1f / (options.batch() * options.sequence()), 0, PassOptions.DEFAULT.withCheckpointing(checkpointing));
                    optimizer.step(1e-4);
                    model.weightsChanged();
                }
            });
            double planned = plan.memory().peak() / 1048576.0;
            result.put("planned_activations_mib", plan.memory().activations() / 1048576.0);
            result.put("measured_peak_mib", peak).put("planned_peak_mib", planned).put("planned_over_measured", planned / peak);
        }
        System.out.println(result);
    }
}
