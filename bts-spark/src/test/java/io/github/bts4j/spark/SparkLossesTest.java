package io.github.bts4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.TrainingException;
import io.github.bts4j.core.checkpoint.FolderContent;
import io.github.bts4j.train.BranchedExpert;
import io.github.bts4j.train.ExpertRun;
import io.github.bts4j.train.RunLock;
import io.github.bts4j.train.TinyRuns;
import io.github.bts4j.train.TokenMix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
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
    private TokenMix code;
    private TokenMix math;
    private List<String> expected = List.of();

    @BeforeEach
    void prepare() throws IOException {
        seed = TinyRuns.textModel(folder.resolve("seed"), 5);
        code = SparkBranchTest.mix(folder, "code", 11);
        math = SparkBranchTest.mix(folder, "math", 13);
    }

    private List<ExpertRun> experts(Path from, Path shared) {
        return List.of(FaultRuns.expert("code", from, code, shared), FaultRuns.expert("math", from, math, shared));
    }

    /** Of both experts, trained here without a fault. */
    private List<String> whole() throws IOException {
        if (expected.isEmpty()) {
            expected = new ArrayList<>();
            for (ExpertRun run : experts(seed, Files.createDirectories(folder.resolve("whole")))) {
                expected.add(run.run(Path::of, RunLock::acquire, step -> { }).sha256());
            }
        }
        return expected;
    }

    private static List<String> there(SparkSession spark, List<ExpertRun> runs) {
        return SparkBranch.run(spark, runs, step -> { }).stream().map(BranchedExpert::sha256).toList();
    }

    private Process program(String name, Object... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dbts4j.testData=" + System.getProperty("bts4j.testData"),
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

    /** Killed after a checkpoint, at any time; the same program again. */
    @Test
    void driversKilledAndStartedAgain() throws Exception {
        List<String> here = FaultRuns.stitchHere();
        SplittableRandom random = new SplittableRandom(3);
        FaultCounts counts = new FaultCounts("driver killed, and started again");
        for (int fault = 0; fault < FAULTS; fault++) {
            Path run = folder.resolve("driver-run" + fault);
            Path out = folder.resolve("driver-out" + fault);
            Process first = program("driver" + fault, "driver", run, out);
            await(run.resolve("checkpoint-" + "0".repeat(9) + 2 * (1 + fault % 4)));
            Thread.sleep(random.nextLong(40)); // a step takes as long
            List<ProcessHandle> executors = first.descendants().toList();
            first.destroyForcibly().waitFor();
            for (ProcessHandle executor : executors) {
                executor.onExit().get(2, TimeUnit.MINUTES); // they end with their driver
            }
            assertTrue(!Files.exists(out), "killed before the end");
            Process second = program("driver-again" + fault, "driver", run, out);
            assertTrue(second.waitFor(10, TimeUnit.MINUTES) && second.exitValue() == 0, () -> read("driver-again"));
            assertEquals(here, Files.readAllLines(out), "fault " + fault);
            counts.same();
        }
        counts.write();
    }

    private String read(String name) {
        try (Stream<Path> logs = Files.list(folder)) {
            StringBuilder text = new StringBuilder();
            for (Path log : logs.filter(each -> each.getFileName().toString().startsWith(name) && each.toString().endsWith(".log")).toList()) {
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
        FaultCounts counts = new FaultCounts("attempt that sleeps, and wakes up after another has finished");
        try (SparkSession spark = FaultRuns.spark()) {
            for (int fault = 0; fault < FAULTS; fault++) {
                Path shared = Files.createDirectories(folder.resolve("zombie" + fault));
                Process zombie = program("zombie" + fault, "attempt", seed, code.domains().get(0).tokens(), code.domains().get(1).tokens(), shared);
                await(shared.resolve("code-run/checkpoint-" + "0".repeat(8) + (10 + 5 * (fault % 4))));
                signal("STOP", zombie.pid());
                assertTrue(!Files.exists(shared.resolve("code")), "stopped before the end");
                assertEquals(whole().subList(0, 1), there(spark, experts(seed, shared).subList(0, 1)), "fault " + fault);
                Map<String, String> before = FolderContent.of(shared);
                signal("CONT", zombie.pid());
                assertTrue(zombie.waitFor(5, TimeUnit.MINUTES));
                assertNotEquals(0, zombie.exitValue());
                assertTrue(read("zombie" + fault).contains("was taken over by another attempt"), read("zombie" + fault));
                Map<String, String> after = FolderContent.of(shared);
                before.keySet().remove("code-run/metrics.jsonl"); // each line is appended at once, by whoever computes the step
                after.keySet().remove("code-run/metrics.jsonl");
                assertEquals(before, after, "a sleeper wrote");
                counts.same();
            }
        }
        counts.write();
    }

    /** What a fault of one executor is, and how it is undone. */
    private interface Fault {
        void set(long pid, boolean there) throws IOException, InterruptedException;
    }

    /** Two experts, so that one task begins on the executor with the fault: the same bits, or one line and no checkpoint lost. */
    private void onOneExecutor(FaultCounts counts, Path from, Fault fault, String message) throws Exception {
        try (SparkSession spark = FaultRuns.spark("spark.task.maxFailures", "4")) {
            FaultRuns.executors(spark);
            assertEquals(whole(), there(spark, experts(seed, Files.createDirectories(folder.resolve("warm")))), "without a fault; native libraries are unpacked now");
            for (int trial = 0; trial < FAULTS; trial++) {
                Path shared = Files.createDirectories(folder.resolve("trial" + trial));
                long pid = new ArrayList<>(FaultRuns.executors(spark).values()).get(trial % 2);
                FailedTasks failed = new FailedTasks();
                spark.sparkContext().addSparkListener(failed);
                fault.set(pid, true);
                boolean clear = false;
                try {
                    assertEquals(whole(), there(spark, experts(from, shared)), "trial " + trial);
                } catch (TrainingException e) {
                    assertTrue(e.getMessage().contains(message) && e.getMessage().contains("(executor ") && e.getMessage().lines().count() == 1, e.getMessage());
                    clear = true;
                }
                fault.set(pid, false);
                FaultRuns.awaitEvents(spark);
                spark.sparkContext().removeSparkListener(failed);
                assertTrue(failed.count > 0, "no task met the fault");
                if (clear) {
                    FaultRuns.executors(spark); // until tasks of the failed job have ended
                    assertEquals(whole(), there(spark, experts(seed, shared)), "no checkpoint is lost");
                    counts.error();
                } else {
                    counts.same();
                }
                counts.lost(failed.count);
            }
        }
        counts.write();
    }

    private static final class FailedTasks extends SparkListener {
        private int count;

        @Override
        public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
            count += end.taskInfo().failed() ? 1 : 0;
        }
    }

    /** Files of one executor can have 8 KB. */
    @Test
    void noSpaceOnOneMachine() throws Exception {
        onOneExecutor(new FaultCounts("no space on one executor"), seed, (pid, full) ->
                assertEquals(0, new ProcessBuilder("prlimit", "--pid", String.valueOf(pid), "--fsize=" + (full ? "8192:" : "unlimited:")).start().waitFor()), "File too large");
    }

    /** The seed is below the working directory of one executor, and not of the other. */
    @Test
    void aFileThatOneMachineDoesNotHave() throws Exception {
        Path there = Path.of("/proc/self/cwd/own-seed");
        onOneExecutor(new FaultCounts("file missing on one executor"), there, (pid, missing) -> {
            for (ProcessHandle executor : ProcessHandle.current().children().filter(child -> child.info().commandLine().orElse("").contains("CoarseGrainedExecutorBackend")).toList()) {
                Path link = Path.of("/proc/" + executor.pid() + "/cwd").toRealPath().resolve("own-seed");
                Files.deleteIfExists(link);
                if (missing && executor.pid() != pid) {
                    Files.createSymbolicLink(link, seed);
                }
            }
        }, there + " does not exist: every executor needs it under this path");
    }
}
