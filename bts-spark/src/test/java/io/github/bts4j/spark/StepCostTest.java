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
import io.github.bts4j.train.metrics.Median;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.spark.executor.TaskMetrics;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Seconds and bytes of a step of 8 sequences of 256 tokens, by trained parameters, executors and exchange, in turns with one process; for a quiet machine, with {@code
 * -Dbts4j.stepCost=true}, or with a part of the rows' names. Writes the table of docs/scale-out.md to {@code target/step-cost.md}.
 */
@Tag("slow")
@EnabledIfSystemProperty(named = "bts4j.stepCost", matches = ".+")
class StepCostTest {
    private static final int SEQUENCES = 8;
    private static final int LENGTH = 256;
    private static final int WARM = Integer.getInteger("bts4j.stepCostWarm", 300);
    private static final int SMALL = 160;
    private static final int STEPS = Integer.getInteger("bts4j.stepCostSteps", 5);
    private static final int VOCAB = 2048;
    private static final Path MODELS = Path.of("target/step-cost");

    /** What tasks sent. */
    private static final class Sent extends SparkListener {
        private final List<Double> run = new ArrayList<>();
        private final List<Double> opened = new ArrayList<>();
        private final List<Double> written = new ArrayList<>();
        private long results;
        private long shuffled;

        @Override
        public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
            TaskMetrics metrics = end.taskMetrics();
            results += metrics.resultSize();
            shuffled += metrics.shuffleWriteMetrics().bytesWritten();
            run.add(metrics.executorRunTime() / 1e3);
            opened.add(metrics.executorDeserializeTime() / 1e3);
            written.add(metrics.resultSerializationTime() / 1e3);
        }

        /** Medians of what each task took in its executor. */
        synchronized String seconds() {
            return String.format(Locale.ROOT, "tasks: %.3f s, reading them %.3f s, writing results %.3f s", Median.of(run), Median.of(opened), Median.of(written));
        }

        synchronized String perStep() {
            return String.format(Locale.ROOT, "%.1f MB | %.1f MB", results / 1e6 / (1 + STEPS), shuffled / 1e6 / (1 + STEPS));
        }
    }

    private static Path model(String name, int hidden) throws IOException {
        Path path = MODELS.resolve(name + hidden);
        if (!Files.exists(path)) {
            LlamaConfig config = LlamaConfig.builder().vocabSize(VOCAB).hiddenSize(hidden).intermediateSize(hidden * 2).numLayers(4).numHeads(4).numKvHeads(4).maxPositionEmbeddings(LENGTH + 1).build();
            try (ExpertTraining random = ExpertTraining.fromScratch(config, 0.02, name.hashCode(), Device.cpu())) {
                random.save(path, Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"));
            }
        }
        return path;
    }

    private static Datamix data() {
        SplittableRandom random = new SplittableRandom(1);
        int[] tokens = random.ints(100_000, 0, VOCAB).toArray();
        return Datamix.of(List.of(TokenDataset.builder("random").add(tokens, tokens.length).build()), Map.of("random", 1.0));
    }

    private static StitchedModel stitched(int hidden) throws IOException {
        return StitchedModel.builder().config(StitchConfig.evenly(4, 4)).hub(model("hub", hidden)).expert("code", model("code", hidden)).expert("math", model("math", hidden)).open();
    }

    /** A lane, which is one pass, for each executor. */
    private static Trainer trainer(Trainable training, int lanes, int steps, int sequences, int length) {
        TrainerConfig config = TrainerConfig.of(steps, sequences, length, new LearningRate.Constant(1e-4)).withAccumulation(lanes).withLanes(lanes);
        return new Trainer(training, data(), config, step -> { });
    }

    /** Short steps of as many parameters, some hundred for the smaller model: until then, Spark's code is interpreted, and a step takes twice as long beside the passes. */
    private static void warm(SparkSession spark, int hidden, int lanes, Exchange exchange) throws IOException {
        int steps = Math.max(2, WARM * SMALL * SMALL / hidden / hidden);
        try (StitchedModel model = stitched(hidden); Trainer trainer = trainer(SparkTraining.on(spark, new StitchTraining(model)).withExchange(exchange), lanes, steps, 1, 8)) {
            trainer.run();
        }
    }

    private static double step(Trainer trainer, long number) throws IOException {
        long begin = System.nanoTime();
        trainer.runTo(number);
        return (System.nanoTime() - begin) / 1e9;
    }

    @ParameterizedTest
    @CsvSource({"160, 1, GATHER", "160, 2, GATHER", "928, 1, GATHER", "928, 2, GATHER", "928, 2, SLICED"})
    void aRow(int hidden, int executors, Exchange exchange) throws IOException {
        String asked = System.getProperty("bts4j.stepCost");
        if (!asked.equals("true") && !(hidden + " " + executors + " " + exchange).contains(asked)) {
            return;
        }
        Torch.threads(1);
        List<Double> here = new ArrayList<>();
        List<Double> there = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        Sent sent = new Sent();
        Map<String, String> settings = Map.of("spark.executor.memory", "1536m", "spark.executorEnv.OMP_NUM_THREADS", "1");
        try (SparkSession spark = LocalSpark.open("local-cluster[" + executors + ",1,1536]", settings); StitchedModel first = stitched(hidden); StitchedModel second = stitched(hidden)) {
            warm(spark, hidden, executors, exchange);
            FaultRuns.awaitEvents(spark);
            spark.sparkContext().addSparkListener(sent);
            Trainable tasks = SparkTraining.on(spark, new StitchTraining(second)).withExchange(exchange);
            try (Trainer process = trainer(new StitchTraining(first), executors, 1 + STEPS, SEQUENCES / executors, LENGTH); Trainer cluster = trainer(tasks, executors, 1 + STEPS, SEQUENCES / executors, LENGTH)) {
                for (int step = 1; step <= 1 + STEPS; step++) {
                    double one = step(process, step);
                    double other = step(cluster, step);
                    if (step > 1) {
                        here.add(one);
                        there.add(other);
                        ratios.add(other / one);
                    }
                }
            }
            FaultRuns.awaitEvents(spark);
        }
        double parameters = StitchConfig.evenly(4, 4).parameterCount(2, hidden);
        String row = String.format(Locale.ROOT, "| %.1f M | %d | %s | %.2f | %.2f | %.2f | %s |", parameters / 1e6, executors, exchange.name().toLowerCase(Locale.ROOT), Median.of(there), Median.of(here), Median.of(ratios),
                sent.perStep());
        System.out.println(row + System.lineSeparator() + sent.seconds() + System.lineSeparator() + here + System.lineSeparator() + there);
        Files.write(Path.of("target/step-cost.md"), List.of(row), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        assertTrue(sent.results > 0, "tasks sent something");
    }
}
