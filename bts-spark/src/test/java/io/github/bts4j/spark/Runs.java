package io.github.bts4j.spark;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.train.TinyRuns;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.Trainer;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.spark.sql.SparkSession;

/** Runs of small models, whose every bit is a line. */
final class Runs {
    private Runs() {}

    /** The master of ordinary tests: two threads, or {@code -Dbts4j.sparkMaster}, such as {@code local[4]}. */
    static SparkSession session() {
        return LocalSpark.open(System.getProperty("bts4j.sparkMaster", "local[2]"));
    }

    /** Two executors that are processes of their own. */
    static SparkSession cluster() {
        return LocalSpark.open("local-cluster[2,1,512]", Map.of("spark.executor.memory", "512m", "spark.executorEnv.OMP_NUM_THREADS", "1",
                "spark.executor.extraJavaOptions", "-XX:+UseSerialGC --enable-native-access=ALL-UNNAMED"));
    }

    static TrainerConfig config(long steps, int passes, int lanes) {
        return TrainerConfig.of(steps, 2, TinyRuns.LENGTH, new LearningRate.WarmupLinear(0.005, 2, steps, 0)).withSeed(9).withAccumulation(passes).withLanes(lanes);
    }

    /** Losses and norms of every step, and a hash of every tensor at the end. */
    static List<String> train(Trainable training, TrainerConfig config) throws IOException {
        return train(training, config, trainer -> { }, step -> { });
    }

    static List<String> train(Trainable training, TrainerConfig config, Consumer<Trainer> more, Consumer<Long> afterStep) throws IOException {
        List<String> lines = new ArrayList<>();
        MetricsListener listener = new MetricsListener() {
            @Override
            public void onStep(io.github.bts4j.train.metrics.StepMetrics metrics) {
                lines.add(metrics.step() + " " + Double.toHexString(metrics.loss()) + " " + Double.toHexString(metrics.gradNorm()) + " " + metrics.lossByDomain());
                afterStep.accept(metrics.step());
            }

            @Override
            public void onEvaluation(io.github.bts4j.train.metrics.EvaluationMetrics metrics) {
                lines.add("validation " + metrics);
            }
        };
        try (Trainer trainer = new Trainer(training, TinyRuns.data(), config, listener)) {
            more.accept(trainer);
            trainer.run();
        }
        for (Map.Entry<String, NDArray> tensor : training.parameters().entrySet()) {
            lines.add(tensor.getKey() + " " + Tensors.sha256(tensor.getValue()));
        }
        return lines;
    }
}
