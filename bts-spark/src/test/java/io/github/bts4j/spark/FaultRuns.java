package io.github.bts4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.BranchedExpert;
import io.github.bts4j.train.ExpertRun;
import io.github.bts4j.train.RunLock;
import io.github.bts4j.train.StitchTraining;
import io.github.bts4j.train.TinyRuns;
import io.github.bts4j.train.TokenMix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** Programs that are killed or stopped: a driver, and an attempt at an expert. */
final class FaultRuns {
    private static final int STEPS = 12;

    private FaultRuns() {}

    static SparkSession spark(String... more) {
        return spark(2, more);
    }

    /** Executors that live for seconds are compiled quickly rather than well. */
    private static SparkSession spark(int executors, String... more) {
        Map<String, String> settings = new java.util.HashMap<>(Map.of("spark.executor.memory", "512m", "spark.executor.heartbeatInterval", "1s", "spark.task.maxFailures", "40",
                "spark.deploy.maxExecutorRetries", "-1", "spark.executorEnv.OMP_NUM_THREADS", "1", "spark.worker.timeout", "600", "spark.network.timeout", "600s", // a machine may stand still for a minute
                "spark.executor.extraJavaOptions", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED"));
        for (int i = 0; i < more.length; i += 2) {
            settings.put(more[i], more[i + 1]);
        }
        return LocalSpark.open("local-cluster[" + executors + ",1,512]", settings);
    }

    /** Process ids of the two executors by their names, "0" and "1" for the first two. */
    static Map<String, Long> executors(SparkSession spark) {
        JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
        Map<String, Long> pids = new TreeMap<>();
        for (int attempt = 0; attempt < 600 && pids.size() < 2; attempt++) {
            Map<String, Long> found = new TreeMap<>();
            context.parallelize(IntStream.range(0, 8).boxed().toList(), 8).map(i -> {
                Thread.sleep(50);
                return SparkEnv.get().executorId() + " " + ProcessHandle.current().pid();
            }).collect().forEach(line -> found.put(line.split(" ")[0], Long.parseLong(line.split(" ")[1])));
            pids = found;
        }
        assertEquals(2, pids.size(), "two executors");
        assertTrue(!pids.containsValue(ProcessHandle.current().pid()));
        return pids;
    }

    /** Kills a process, and waits until it is gone, and longer. */
    static void kill(long pid, long milliseconds) {
        ProcessHandle.of(pid).ifPresent(process -> {
            process.destroyForcibly();
            process.onExit().join();
        });
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Until listeners have heard of everything. */
    static void awaitEvents(SparkSession spark) {
        try {
            spark.sparkContext().listenerBus().waitUntilEmpty();
        } catch (java.util.concurrent.TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    /** Stitches on the cluster, resumed from the run's folder; the last line of each tensor. */
    static List<String> stitch(SparkSession spark, Path run) throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0.2)) {
            List<String> lines = Runs.train(SparkTraining.on(spark, new StitchTraining(model)), Runs.config(STEPS, 4, 2).withCheckpoints(2, 2), trainer -> {
                try {
                    trainer.saveTo(run).resumeFrom(run);
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            }, step -> { });
            return tensors(lines);
        }
    }

    static List<String> stitchHere() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0.2)) {
            return tensors(Runs.train(new StitchTraining(model), Runs.config(STEPS, 4, 2)));
        }
    }

    private static List<String> tensors(List<String> lines) {
        return lines.stream().filter(line -> !line.matches("\\d+ .*")).toList();
    }

    static ExpertRun expert(String name, Path seed, TokenMix mix, Path shared) {
        return new ExpertRun(name, seed.toString(), mix, Runs.config(40, 1, 1).withCheckpoints(5, 2), shared.toString(), false);
    }

    /** {@code driver RUN OUT}, or {@code attempt SEED TOKENS.. SHARED}: the expert in a process of its own. */
    public static void main(String[] arguments) throws IOException {
        if (arguments[0].equals("driver")) {
            try (SparkSession spark = spark(1)) {
                List<String> lines = new ArrayList<>(stitch(spark, Path.of(arguments[1])));
                Files.write(Path.of(arguments[2]), lines);
            }
            return;
        }
        Torch.threads(1);
        TokenMix mix = new TokenMix(List.of(new TokenMix.Part("general", arguments[2], 1), new TokenMix.Part("code", arguments[3], 2)), 4);
        BranchedExpert expert = expert("code", Path.of(arguments[1]), mix, Path.of(arguments[4])).run(Path::of, RunLock::takeOver, step -> { });
        System.out.println(expert.sha256() + " " + ModelFingerprint.sha256(Path.of(expert.folder()).resolve("model.safetensors")));
    }
}
