package io.github.bts4j.spark;

import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.StitchTraining;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.Trainer;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Seconds and bytes of a step, by trained parameters, executors and exchange, beside one process; for a quiet machine, with {@code -Dbts4j.stepCost=true}. Writes the table of
 * docs/scale-out.md to {@code target/step-cost.md}.
 */
@Tag("slow")
@EnabledIfSystemProperty(named = "bts4j.stepCost", matches = "true")
class StepCostTest {
    private static final int PASSES = 8;
    private static final int BATCH = 8;
    private static final int LENGTH = 256;
    private static final int WARM = 2;
    private static final int STEPS = 6;
    private static final int VOCAB = 2048;

    @TempDir
    private Path folder;

    /** What tasks sent. */
    private static final class Sent extends SparkListener {
        private long results;
        private long shuffled;

        @Override
        public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
            results += end.taskMetrics().resultSize();
            shuffled += end.taskMetrics().shuffleWriteMetrics().bytesWritten();
        }

        synchronized String perStep() {
            return String.format(Locale.ROOT, "%.1f MB | %.1f MB", results / 1e6 / (WARM + STEPS), shuffled / 1e6 / (WARM + STEPS));
        }
    }

    private Path model(String name, int hidden) throws IOException {
        Path path = folder.resolve(name + hidden);
        LlamaConfig config = LlamaConfig.builder().vocabSize(VOCAB).hiddenSize(hidden).intermediateSize(hidden * 2).numLayers(4).numHeads(4).numKvHeads(4).maxPositionEmbeddings(LENGTH + 1).build();
        try (ExpertTraining random = ExpertTraining.fromScratch(config, 0.02, name.hashCode(), Device.cpu())) {
            random.save(path, Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"));
        }
        return path;
    }

    private static Datamix data() {
        SplittableRandom random = new SplittableRandom(1);
        int[] tokens = random.ints(400_000, 0, VOCAB).toArray();
        return Datamix.of(List.of(TokenDataset.builder("random").add(tokens, tokens.length).build()), Map.of("random", 1.0));
    }

    /** The median of the steps' seconds. */
    private static double seconds(Trainable training) throws IOException {
        List<Long> times = new ArrayList<>();
        TrainerConfig config = TrainerConfig.of(WARM + STEPS, BATCH, LENGTH, new LearningRate.Constant(1e-4)).withAccumulation(PASSES).withLanes(PASSES);
        try (Trainer trainer = new Trainer(training, data(), config, step -> times.add(System.nanoTime()))) {
            long begin = System.nanoTime();
            trainer.run();
            times.add(0, begin);
        }
        double[] steps = new double[STEPS];
        for (int i = 0; i < STEPS; i++) {
            steps[i] = (times.get(WARM + i + 1) - times.get(WARM + i)) / 1e9;
        }
        Arrays.sort(steps);
        return (steps[STEPS / 2 - 1] + steps[STEPS / 2]) / 2;
    }

    private double seconds(int hidden, UnaryOperator<Trainable> where) throws IOException {
        try (StitchedModel model = StitchedModel.builder().config(StitchConfig.evenly(4, 4)).hub(folder.resolve("hub" + hidden)).expert("code", folder.resolve("code" + hidden))
                .expert("math", folder.resolve("math" + hidden)).open()) {
            return seconds(where.apply(new StitchTraining(model)));
        }
    }

    @Test
    void theTable() throws IOException {
        Torch.threads(1);
        List<String> lines = new ArrayList<>(List.of("| trained parameters | executors | exchange | seconds per step | one process | ratio | to the driver | between executors |", "|---|---|---|---|---|---|---|---|"));
        for (int hidden : new int[] {160, 928}) {
            for (String name : List.of("hub", "code", "math")) {
                model(name, hidden);
            }
            double here = seconds(hidden, all -> all);
            for (int executors = 1; executors <= 2; executors++) {
                try (SparkSession spark = LocalSpark.open("local-cluster[" + executors + ",1,1536]", Map.of("spark.executor.memory", "1536m", "spark.executorEnv.OMP_NUM_THREADS", "1"))) {
                    for (Exchange exchange : List.of(Exchange.GATHER, Exchange.SLICED)) {
                        Sent sent = new Sent();
                        spark.sparkContext().addSparkListener(sent);
                        double there = seconds(hidden, all -> SparkTraining.on(spark, all).withExchange(exchange));
                        spark.sparkContext().removeSparkListener(sent);
                        lines.add(String.format(Locale.ROOT, "| %,d | %d | %s | %.2f | %.2f | %.2f | %s |", StitchConfig.evenly(4, 4).parameterCount(2, hidden), executors, exchange.name().toLowerCase(Locale.ROOT),
                                there, here, there / here, sent.perStep()));
                        Files.write(Path.of("target/step-cost.md"), lines);
                    }
                }
            }
        }
        assertTrue(lines.size() == 10, lines.toString());
    }
}
