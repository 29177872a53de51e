package io.github.bts4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.BranchedExpert;
import io.github.bts4j.train.StitchTraining;
import io.github.bts4j.train.TokenMix;
import io.github.bts4j.train.TrainerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Executors as processes of their own, which are killed at any time: the same bits. {@code -Dbts4j.sparkFaults} kills of each kind, 3 if not set.
 */
@Tag("slow")
class SparkFaultsTest {
    private static final int FAULTS = Integer.getInteger("bts4j.sparkFaults", 3);
    private static SparkSession spark;

    @TempDir
    private Path folder;

    @BeforeAll
    static void open() {
        spark = LocalSpark.open("local-cluster[2,1,512]", Map.of("spark.executor.memory", "512m", "spark.executor.heartbeatInterval", "1s", "spark.task.maxFailures", "40",
                "spark.executor.maxNumFailures", "1000", "spark.deploy.maxExecutorRetries", "-1", "spark.executorEnv.OMP_NUM_THREADS", "1"));
    }

    @AfterAll
    static void close() throws IOException {
        spark.close();
    }

    /** Process ids of the executors. */
    private static TreeSet<Long> executors() {
        JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
        TreeSet<Long> pids = new TreeSet<>();
        for (int attempt = 0; attempt < 200 && pids.size() < 2; attempt++) {
            pids = new TreeSet<>(context.parallelize(IntStream.range(0, 8).boxed().toList(), 8).map(i -> {
                Thread.sleep(50);
                return ProcessHandle.current().pid();
            }).collect());
        }
        assertEquals(2, pids.size(), "two executors");
        assertTrue(!pids.contains(ProcessHandle.current().pid()));
        return pids;
    }

    /** Kills a process after some time. */
    private static Thread killer(long pid, long milliseconds) {
        Thread thread = new Thread(() -> {
            try {
                Thread.sleep(milliseconds);
            } catch (InterruptedException e) {
                return;
            }
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        });
        thread.start();
        return thread;
    }

    private static List<String> stitch(boolean there, Exchange exchange, TrainerConfig config, java.util.function.Consumer<Long> afterStep) throws IOException {
        try (StitchedModel model = Runs.stitched(0.2)) {
            StitchTraining all = new StitchTraining(model);
            return Runs.train(there ? SparkTraining.on(spark, all).withExchange(exchange) : all, config, trainer -> { }, afterStep);
        }
    }

    /** Between steps, and inside of a task, a broadcast or a shuffle: wherever the time falls. */
    @ParameterizedTest
    @EnumSource(value = Exchange.class, names = {"GATHER", "SLICED"})
    void executorsKilledWhileStitching(Exchange exchange) throws Exception {
        TrainerConfig config = Runs.config(6, 4, 4);
        List<String> expected = stitch(false, exchange, config, step -> { });
        SplittableRandom random = new SplittableRandom(exchange.ordinal());
        for (int fault = 0; fault < FAULTS; fault++) {
            List<Long> pids = new ArrayList<>(executors());
            long victim = pids.get(fault % 2);
            long at = 1 + fault % 4;
            long wait = fault == 0 ? 0 : random.nextLong(400);
            List<Thread> killers = new ArrayList<>();
            List<String> found = stitch(true, exchange, config, step -> {
                if (step == at) {
                    killers.add(killer(victim, wait));
                }
            });
            killers.get(0).join();
            assertEquals(expected, found, "fault " + fault + ": executor killed " + wait + " ms after step " + at);
            assertTrue(ProcessHandle.of(victim).isEmpty() || !ProcessHandle.of(victim).get().isAlive(), "the executor is gone");
        }
    }

    @Test
    void executorsKilledWhileBranching() throws Exception {
        Path seed = Runs.textModel(folder.resolve("seed"), 5);
        TokenMix code = SparkBranchTest.mix(folder, "code", 11);
        TokenMix math = SparkBranchTest.mix(folder, "math", 13);
        TrainerConfig config = Runs.config(60, 1, 1).withCheckpoints(5, 2);
        List<String> expected = SparkBranch.on(spark).seed(seed.toString()).expert("code", code).expert("math", math).config(config).into(folder.resolve("whole")).run().stream().map(BranchedExpert::sha256).toList();
        for (int fault = 0; fault < FAULTS; fault++) {
            Path shared = folder.resolve("shared" + fault);
            long victim = new ArrayList<>(executors()).get(fault % 2);
            Thread killer = new Thread(() -> {
                try {
                    while (!Files.isDirectory(shared.resolve("code-run/checkpoint-0000000010"))) {
                        Thread.sleep(2);
                    }
                } catch (InterruptedException e) {
                    return;
                }
                ProcessHandle.of(victim).ifPresent(ProcessHandle::destroyForcibly);
            });
            killer.start();
            List<BranchedExpert> experts = SparkBranch.on(spark).seed(seed.toString()).expert("code", code).expert("math", math).config(config).into(shared).run();
            killer.interrupt();
            assertEquals(expected, experts.stream().map(BranchedExpert::sha256).toList(), "fault " + fault);
        }
    }
}
