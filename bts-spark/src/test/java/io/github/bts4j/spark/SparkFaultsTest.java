package io.github.bts4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.BranchedExpert;
import io.github.bts4j.train.StitchTraining;
import io.github.bts4j.train.TinyRuns;
import io.github.bts4j.train.TokenMix;
import io.github.bts4j.train.TrainerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Executors as processes of their own, one of which is killed: the same bits. Each trial counts only if it hit what it was meant for. {@code -Dbts4j.sparkFaults} of each kind, 3 if
 * not set.
 */
@Tag("slow")
class SparkFaultsTest {
    private static final int FAULTS = Integer.getInteger("bts4j.sparkFaults", 3);
    private static final int TRIES = 12;
    private static SparkSession spark;

    @TempDir
    private Path folder;

    @BeforeAll
    static void open() {
        spark = FaultRuns.spark("spark.broadcast.blockSize", "1k"); // so that a broadcast is many pieces
    }

    @AfterAll
    static void close() throws IOException {
        spark.close();
    }

    private interface Opener {
        StitchedModel open() throws IOException;
    }

    private static List<String> here(Opener opener, TrainerConfig config) throws IOException {
        try (StitchedModel model = opener.open()) {
            return Runs.train(new StitchTraining(model), config);
        }
    }

    private static List<String> there(Opener opener, Exchange exchange, TrainerConfig config, ExecutorKiller killer, Consumer<Long> afterStep) throws IOException {
        spark.sparkContext().addSparkListener(killer);
        try (StitchedModel model = opener.open()) {
            return Runs.train(SparkTraining.on(spark, new StitchTraining(model)).withExchange(exchange), config, trainer -> { }, afterStep);
        } finally {
            FaultRuns.awaitEvents(spark);
            spark.sparkContext().removeSparkListener(killer);
        }
    }

    private static Exchange exchange(int fault) {
        return fault % 2 == 0 ? Exchange.GATHER : Exchange.SLICED;
    }

    /** A run with a fault, whose result is checked; what the killer, or who only counts, has seen. */
    private interface Trial {
        ExecutorKiller run(int fault) throws Exception;
    }

    /** Trials that missed their moment are repeated, and do not count. */
    private static void trials(String kind, Predicate<ExecutorKiller> hit, Trial trial) throws Exception {
        FaultCounts counts = new FaultCounts(kind);
        for (int fault = 0; fault < FAULTS; fault++) {
            ExecutorKiller seen = trial.run(fault);
            for (int tries = 1; !hit.test(seen); tries++) {
                assertTrue(tries < TRIES, "fault " + fault + " missed its moment " + TRIES + " times");
                seen = trial.run(fault);
            }
            counts.lost(seen.lost());
            counts.same();
        }
        counts.write();
    }

    @Test
    void executorsKilledInsideATaskOfAStep() throws Exception {
        TrainerConfig config = Runs.config(4, 16, 2);
        Opener model = () -> TinyRuns.stitched(0.2);
        List<String> expected = here(model, config);
        SplittableRandom random = new SplittableRandom(1);
        trials("executor killed inside a task of a step", killer -> killer.hasKilled() && killer.lost() > 0, fault -> {
            ExecutorKiller killer = ExecutorKiller.inTask(FaultRuns.executors(spark), 2 + random.nextInt(6), random.nextLong(30));
            assertEquals(expected, there(model, exchange(fault), config, killer, step -> { }), "fault " + fault);
            return killer;
        });
    }

    @Test
    void executorsKilledBetweenSteps() throws Exception {
        TrainerConfig config = Runs.config(4, 4, 4);
        Opener model = () -> TinyRuns.stitched(0.2);
        List<String> expected = here(model, config);
        SplittableRandom random = new SplittableRandom(2);
        trials("executor killed between steps", counter -> counter.removed() > 0, fault -> {
            long victim = new ArrayList<>(FaultRuns.executors(spark).values()).get(fault % 2);
            long wait = random.nextLong(300);
            ExecutorKiller counter = ExecutorKiller.none();
            assertEquals(expected, there(model, exchange(fault), config, counter, step -> {
                if (step == 1 + fault % 3) {
                    FaultRuns.kill(victim, wait);
                }
            }), "fault " + fault);
            return counter;
        });
    }

    /** Killed when some, and not all, of the weights' pieces have come. */
    @Test
    void executorsKilledWhileTheyFetchWeights() throws Exception {
        TinyRuns.textModels(folder, "hub", "code", "math");
        Opener model = () -> StitchedModel.builder().config(StitchConfig.evenly(4, 4).withDropout(0.1)).hub(folder.resolve("hub")).expert("code", folder.resolve("code")).expert("math", folder.resolve("math")).open();
        TrainerConfig config = Runs.config(2, 2, 2);
        List<String> expected = here(model, config);
        SplittableRandom random = new SplittableRandom(5);
        trials("executor killed while it fetches a broadcast", killer -> killer.hasKilled() && killer.hasCut() && killer.lost() > 0, fault -> {
            ExecutorKiller killer = ExecutorKiller.inBroadcast(FaultRuns.executors(spark), 30 + random.nextInt(60));
            assertEquals(expected, there(model, exchange(fault), config, killer, step -> { }), "fault " + fault);
            return killer;
        });
    }

    /** Killed after a run checkpoint, which the next attempt takes over. */
    @Test
    void executorsKilledInsideABranchTask() throws Exception {
        Path seed = TinyRuns.textModel(folder.resolve("seed"), 5);
        TokenMix code = SparkBranchTest.mix(folder, "code", 11);
        TokenMix math = SparkBranchTest.mix(folder, "math", 13);
        TrainerConfig config = Runs.config(40, 1, 1).withCheckpoints(5, 2);
        SparkBranch branch = SparkBranch.on(spark).seed(seed.toString()).expert("code", code).expert("math", math).config(config);
        List<String> expected = hashes(branch.into(folder.resolve("whole")));
        trials("executor killed inside an expert's task", counter -> counter.lost() > 0, fault -> {
            Path shared = Files.createTempDirectory(folder, "shared");
            long victim = new ArrayList<>(FaultRuns.executors(spark).values()).get(fault % 2);
            ExecutorKiller counter = ExecutorKiller.none();
            spark.sparkContext().addSparkListener(counter);
            Thread killer = killer(victim, shared.resolve("code-run/checkpoint-" + "0".repeat(8) + (10 + 5 * (fault % 3))));
            assertEquals(expected, hashes(branch.into(shared)), "fault " + fault);
            killer.interrupt();
            FaultRuns.awaitEvents(spark);
            spark.sparkContext().removeSparkListener(counter);
            return counter;
        });
    }

    private static List<String> hashes(SparkBranch branch) throws IOException {
        return branch.run().stream().map(BranchedExpert::sha256).toList();
    }

    /** Kills a process when a file is there. */
    private static Thread killer(long pid, Path after) {
        Thread thread = new Thread(() -> {
            try {
                while (!Files.exists(after)) {
                    Thread.sleep(2);
                }
            } catch (InterruptedException e) {
                return;
            }
            FaultRuns.kill(pid, 0);
        });
        thread.start();
        return thread;
    }
}
