package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.bts4j.stitch.FrozenStateCache;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.metrics.MetricsListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Runs whose folder is on a full or a read-only disk: a tmpfs, which only root may mount; elsewhere these tests are skipped. */
@EnabledOnOs(OS.LINUX)
class DiskTest {
    @TempDir
    private Path folder;
    private Path disk;

    @BeforeEach
    void mount() throws IOException, InterruptedException {
        disk = Files.createDirectory(folder.resolve("disk"));
        assumeTrue(call("mount", "-t", "tmpfs", "-o", "size=800k", "tmpfs", disk.toString()), "only root may mount a tmpfs");
    }

    @AfterEach
    void unmount() throws IOException, InterruptedException {
        call("umount", disk.resolve("run").toString());
        call("umount", disk.toString());
    }

    private static boolean call(String... command) throws IOException, InterruptedException {
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException e) {
            return false; // there is no such command
        }
    }

    private static Trainer trainer(StitchedModel model, Path run, MetricsListener listener) throws IOException {
        return new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(6).withCheckpoints(1, 9), listener).saveTo(run);
    }

    @Test
    void aFullDiskGivesAnErrorAndTheOlderCheckpointsStay() throws IOException {
        Path run = disk.resolve("run");
        Map<Long, Map<String, String>> hashes = new TreeMap<>();
        long failed;
        try (StitchedModel model = TinyRuns.stitched(0.1);
                Trainer trainer = trainer(model, run, metrics -> hashes.put(metrics.step(), TinyRuns.hashes(model.stitchTensors())))) {
            IOException full = assertThrows(IOException.class, trainer::run);
            assertTrue(full.toString().contains("No space left"), full.toString());
            failed = trainer.step();
        }
        assertTrue(failed > 1 && failed < 6, "the disk was full at step " + failed);
        assertNothingHalfDone(run);
        try (StitchedModel model = TinyRuns.stitched(0.1); Trainer trainer = trainer(model, folder.resolve("elsewhere"), metrics -> { })) {
            assertTrue(trainer.resumeFrom(run));
            assertEquals(failed - 1, trainer.step(), "the checkpoint before");
            assertEquals(hashes.get(failed - 1), TinyRuns.hashes(model.stitchTensors()));
            trainer.run();
            List<String> whole = ChildRun.run("stitch", folder.resolve("whole"), TinyRuns.config(6), 6);
            assertEquals(whole.subList(6, whole.size()), TinyRuns.hashes(model.stitchTensors()).entrySet().stream()
                    .map(entry -> entry.getKey() + " " + entry.getValue()).toList());
        }
    }

    private static void assertNothingHalfDone(Path run) throws IOException {
        try (Stream<Path> files = Files.list(run)) {
            List<String> names = files.map(file -> file.getFileName().toString()).toList();
            assertFalse(names.stream().anyMatch(name -> name.startsWith(".")), "what could not be finished is gone: " + names);
        }
    }

    @Test
    void aReadOnlyFolderGivesAnErrorAndTheOlderCheckpointsStay() throws IOException, InterruptedException {
        Path run = disk.resolve("run");
        try (StitchedModel model = TinyRuns.stitched(0.1); Trainer trainer = trainer(model, run, metrics -> { })) {
            trainer.runTo(1);
            // over the folder, whose lock is open: the disk itself cannot become read-only while a file of it is written to
            assertTrue(call("mount", "--bind", run.toString(), run.toString()) && call("mount", "-o", "remount,bind,ro", run.toString()));
            IOException refused = assertThrows(IOException.class, trainer::run);
            assertTrue(refused.toString().contains("Read-only"), refused.toString());
            assertEquals(2, trainer.step(), "the run stops at the checkpoint that it cannot write");
        }
        try (StitchedModel model = TinyRuns.stitched(0.1)) {
            IOException refused = assertThrows(IOException.class, () -> trainer(model, run, metrics -> { }));
            assertTrue(refused.toString().contains("Read-only"), "told before the first step: " + refused);
        }
        assertTrue(call("umount", run.toString()));
        try (StitchedModel model = TinyRuns.stitched(0.1); Trainer trainer = trainer(model, run, metrics -> { })) {
            assertTrue(trainer.resumeFrom(run));
            assertEquals(1, trainer.step());
        }
    }

    @Test
    void aFrozenStateCacheOnAFullDiskStoresNoMoreAndTheRunIsTheSame() throws IOException {
        Map<String, String> without = run(PassOptions.DEFAULT);
        try (FrozenStateCache cache = FrozenStateCache.open(folder.resolve("roomy"))) {
            Map<String, String> cached = run(PassOptions.DEFAULT.withFrozenStateCache(cache));
            try (FrozenStateCache small = FrozenStateCache.open(disk.resolve("cache"))) {
                assertTrue(call("dd", "if=/dev/zero", "of=" + disk.resolve("ballast"), "bs=1k", "count=770"));
                assertEquals(cached, run(PassOptions.DEFAULT.withFrozenStateCache(small)));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            assertFalse(without.equals(cached), "float32 states are rounded to bfloat16");
        }
    }

    private static Map<String, String> run(PassOptions options) throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0.1);
                Trainer trainer = new Trainer(new StitchTraining(model).withOptions(options), TinyRuns.data(), TinyRuns.config(4), metrics -> { })) {
            trainer.run();
            return TinyRuns.hashes(model.stitchTensors());
        }
    }
}
