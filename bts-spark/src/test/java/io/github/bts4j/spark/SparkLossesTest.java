package io.github.bts4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.TrainingException;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.BranchedExpert;
import io.github.bts4j.train.StitchTraining;
import io.github.bts4j.train.TokenMix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * What else can be lost: the driver, an attempt that sleeps, the space and a file on one machine, an executor that fetches weights. The same bits, or one line; never two writers,
 * never a lost checkpoint. {@code -Dbts4j.sparkFaults} of each kind, 3 if not set.
 */
@Tag("slow")
@EnabledOnOs(OS.LINUX)
class SparkLossesTest {
    private static final int FAULTS = Integer.getInteger("bts4j.sparkFaults", 3);

    @TempDir
    private Path folder;

    private Path seed;
    private TokenMix mix;
    private String expected;

    @BeforeEach
    void prepare() throws IOException {
        seed = Runs.textModel(folder.resolve("seed"), 5);
        mix = SparkBranchTest.mix(folder, "code", 11);
    }

    private String whole() throws IOException {
        if (expected == null) {
            expected = FaultRuns.expert(seed, mix, Files.createDirectories(folder.resolve("whole"))).run(Path::of, io.github.bts4j.train.RunLock::acquire, step -> { }).sha256();
        }
        return expected;
    }

    private Process program(String name, Object... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m", "-XX:+UseSerialGC", "-Dbts4j.testData=" + System.getProperty("bts4j.testData"),
                "-cp", System.getProperty("java.class.path"), FaultRuns.class.getName()));
        Stream.of(arguments).map(Object::toString).forEach(command::add);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(folder.resolve(name + ".log").toFile());
        builder.environment().put("OMP_NUM_THREADS", "1");
        return builder.start();
    }

    private static void await(Path path) throws InterruptedException {
        for (int i = 0; i < 30_000 && !Files.exists(path); i++) {
            Thread.sleep(10);
        }
        assertTrue(Files.exists(path), path + " after five minutes");
    }

    private static void signal(String signal, long pid) throws IOException, InterruptedException {
        assertEquals(0, new ProcessBuilder("kill", "-" + signal, String.valueOf(pid)).start().waitFor());
    }

    private static Map<String, String> content(Path folder) throws IOException {
        Map<String, String> content = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                content.put(folder.relativize(file).toString(), ModelFingerprint.sha256(file));
            }
        }
        return content;
    }

    /** Killed after a checkpoint, at any time; the same program again. */
    @Test
    void driversKilledAndStartedAgain() throws Exception {
        List<String> here = FaultRuns.stitchHere();
        SplittableRandom random = new SplittableRandom(3);
        for (int fault = 0; fault < FAULTS; fault++) {
            Path run = folder.resolve("driver-run" + fault);
            Path out = folder.resolve("driver-out" + fault);
            Process first = program("driver" + fault, "driver", run, out);
            await(run.resolve("checkpoint-" + "0".repeat(9) + 2 * (1 + fault % 4)));
            Thread.sleep(random.nextLong(300));
            List<ProcessHandle> executors = first.descendants().toList();
            first.destroyForcibly().waitFor();
            for (ProcessHandle executor : executors) {
                executor.onExit().get(2, TimeUnit.MINUTES); // they end with their driver
            }
            assertTrue(!Files.exists(out), "killed before the end");
            Process second = program("driver-again" + fault, "driver", run, out);
            assertTrue(second.waitFor(10, TimeUnit.MINUTES) && second.exitValue() == 0, () -> read("driver-again"));
            assertEquals(here, Files.readAllLines(out), "fault " + fault);
        }
    }

    private String read(String name) {
        try (Stream<Path> logs = Files.list(folder)) {
            StringBuilder text = new StringBuilder();
            for (Path log : logs.filter(each -> each.getFileName().toString().startsWith(name)).toList()) {
                text.append(Files.readString(log));
            }
            return text.toString();
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** It is stopped in the middle, another attempt finishes, and then it wakes up. */
    @Test
    void sleepingAttemptsWriteNothingWhenTheyWakeUp() throws Exception {
        String tokens = mix.domains().get(0).tokens();
        try (SparkSession spark = FaultRuns.spark()) {
            for (int fault = 0; fault < FAULTS; fault++) {
                Path shared = Files.createDirectories(folder.resolve("zombie" + fault));
                Process zombie = program("zombie" + fault, "attempt", seed, tokens, mix.domains().get(1).tokens(), shared);
                await(shared.resolve("code-run/checkpoint-" + "0".repeat(8) + (10 + 5 * (fault % 4))));
                signal("STOP", zombie.pid());
                assertTrue(!Files.exists(shared.resolve("code")), "stopped before the end");
                List<BranchedExpert> experts = SparkBranch.run(spark, List.of(FaultRuns.expert(seed, mix, shared)), step -> { });
                assertEquals(whole(), experts.get(0).sha256(), "fault " + fault);
                Map<String, String> before = content(shared);
                signal("CONT", zombie.pid());
                assertTrue(zombie.waitFor(5, TimeUnit.MINUTES));
                assertNotEquals(0, zombie.exitValue());
                assertTrue(read("zombie" + fault).contains("was taken over by another attempt"), read("zombie" + fault));
                Map<String, String> after = content(shared);
                before.keySet().remove("code-run/metrics.jsonl"); // each line is appended at once, by whoever computes the step
                after.keySet().remove("code-run/metrics.jsonl");
                assertEquals(before, after, "a sleeper wrote");
            }
        }
    }

    /** Files of one executor can have 8 KB from some checkpoint on. */
    @Test
    void noSpaceOnOneMachine() throws Exception {
        for (int fault = 0; fault < FAULTS; fault++) {
            Path shared = Files.createDirectories(folder.resolve("full" + fault));
            try (SparkSession spark = FaultRuns.spark("spark.task.maxFailures", "4")) {
                long pid = executors(spark).get(fault % 2 == 0 ? "0" : "1");
                assertEquals(0, new ProcessBuilder("prlimit", "--pid", String.valueOf(pid), "--fsize=8192").start().waitFor());
                sameOrOneLine(spark, shared, "File too large");
            }
            try (SparkSession spark = FaultRuns.spark()) {
                assertEquals(whole(), SparkBranch.run(spark, List.of(FaultRuns.expert(seed, mix, shared)), step -> { }).get(0).sha256(), "no checkpoint is lost");
            }
        }
    }

    private void sameOrOneLine(SparkSession spark, Path shared, String message) throws IOException {
        try {
            assertEquals(whole(), SparkBranch.run(spark, List.of(FaultRuns.expert(seed, mix, shared)), step -> { }).get(0).sha256());
        } catch (TrainingException e) {
            assertTrue(e.getMessage().contains(message) && e.getMessage().contains("(executor ") && e.getMessage().lines().count() == 1, e.getMessage());
        }
    }

    /** The seed is below the working directory of one executor, and not of the other. */
    @Test
    void aFileThatOneMachineDoesNotHave() throws Exception {
        Path there = Path.of("/proc/self/cwd/own-seed");
        for (int fault = 0; fault < FAULTS; fault++) {
            Path shared = Files.createDirectories(folder.resolve("missing" + fault));
            try (SparkSession spark = FaultRuns.spark("spark.task.maxFailures", "4")) {
                long pid = executors(spark).get(fault % 2 == 0 ? "0" : "1");
                Files.createSymbolicLink(Path.of("/proc/" + pid + "/cwd").toRealPath().resolve("own-seed"), seed);
                try {
                    assertEquals(whole(), SparkBranch.run(spark, List.of(FaultRuns.expert(there, mix, shared)), step -> { }).get(0).sha256());
                } catch (TrainingException e) {
                    assertTrue(e.getMessage().startsWith(there + " does not exist: every executor needs it under this path") && e.getMessage().contains("(executor ") && e.getMessage().lines().count() == 1, e.getMessage());
                }
            }
        }
    }

    /** Killed when its task has begun, which first fetches the weights. */
    @Test
    void executorsKilledWhileTheyFetchWeights() throws Exception {
        List<String> here;
        try (StitchedModel model = Runs.stitched(0.2)) {
            here = Runs.train(new StitchTraining(model), Runs.config(6, 4, 4));
        }
        SplittableRandom random = new SplittableRandom(5);
        try (SparkSession spark = FaultRuns.spark()) {
            for (int fault = 0; fault < FAULTS; fault++) {
                Map<String, Long> pids = executors(spark);
                Killer killer = new Killer(pids, 4 + fault % 8, random.nextLong(25));
                spark.sparkContext().addSparkListener(killer);
                try (StitchedModel model = Runs.stitched(0.2)) {
                    assertEquals(here, Runs.train(SparkTraining.on(spark, new StitchTraining(model)), Runs.config(6, 4, 4)), "fault " + fault);
                } finally {
                    spark.sparkContext().removeSparkListener(killer);
                }
                assertTrue(killer.victim > 0 && ProcessHandle.of(killer.victim).filter(ProcessHandle::isAlive).isEmpty(), "an executor was killed");
            }
        }
    }

    /** Kills the executor of the n-th task that begins. */
    private static final class Killer extends SparkListener {
        private final Map<String, Long> pids;
        private final int number;
        private final long milliseconds;
        private int begun;
        private volatile long victim;

        Killer(Map<String, Long> pids, int number, long milliseconds) {
            this.pids = pids;
            this.number = number;
            this.milliseconds = milliseconds;
        }

        @Override
        public void onTaskStart(SparkListenerTaskStart start) {
            Long pid = pids.get(start.taskInfo().executorId());
            if (++begun < number || victim > 0 || pid == null) {
                return;
            }
            victim = pid;
            try {
                Thread.sleep(milliseconds);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    /** Process ids of the two executors by their names, "0" and "1" for the first two. */
    private static Map<String, Long> executors(SparkSession spark) {
        JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
        Map<String, Long> pids = new TreeMap<>();
        for (int attempt = 0; attempt < 200 && pids.size() < 2; attempt++) {
            Map<String, Long> found = new TreeMap<>();
            context.parallelize(IntStream.range(0, 8).boxed().toList(), 8).map(i -> {
                Thread.sleep(50);
                return SparkEnv.get().executorId() + " " + ProcessHandle.current().pid();
            }).collect().forEach(line -> found.put(line.split(" ")[0], Long.parseLong(line.split(" ")[1])));
            pids = found;
        }
        assertEquals(2, pids.size(), "two executors");
        return pids;
    }
}
