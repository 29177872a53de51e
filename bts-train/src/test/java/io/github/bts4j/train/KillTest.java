package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.stitch.StitchedModel;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A run that writes a checkpoint after every step and is killed in the midst of it, again and again. */
class KillTest {
    @TempDir
    private Path folder;

    @Test
    void aRunKilledFourTimesEndsLikeAnUninterruptedOne() throws IOException, InterruptedException {
        killAndResume(4, 400, 1);
    }

    @Test
    @Tag("slow")
    void aRunKilledSixtyTimesEndsLikeAnUninterruptedOne() throws IOException, InterruptedException {
        killAndResume(60, 3000, 2);
    }

    @Test
    void aRunThatRewindsAndIsKilledFourTimesEndsLikeAnUninterruptedOne() throws IOException, InterruptedException {
        killWhileRewinding(4, 3);
    }

    @Test
    @Tag("slow")
    void aRunThatRewindsAndIsKilledFiftyTimesEndsLikeAnUninterruptedOne() throws IOException, InterruptedException {
        killWhileRewinding(50, 4);
    }

    /** Four spikes, each answered by going back some 15 steps and leaving 30 batches out, with kills all over. */
    private void killWhileRewinding(int kills, long seed) throws IOException, InterruptedException {
        long steps = 400;
        SplittableRandom random = new SplittableRandom(seed);
        Path run = folder.resolve("run");
        int midway = 0;
        for (int i = 0; i < kills; i++) {
            killAfter("rewind", run, steps, random.nextInt(1, 60), random.nextInt(20));
            Optional<Path> latest = RunCheckpoint.latest(run);
            midway += latest.isPresent() && RunCheckpoint.state(latest.get()).step() < steps ? 1 : 0;
            if (kills > 10 && i % 10 == 2) { // begins anew, so that kills do not all come after the end
                FileTree.delete(run);
            }
        }
        assertTrue(midway >= kills / 2, "killed midway " + midway + " times of " + kills);
        List<String> end = ChildRun.run("rewind", run, ChildRun.rewinding(steps), steps);
        List<String> whole = ChildRun.run("rewind", folder.resolve("whole"), ChildRun.rewinding(steps), steps);
        assertEquals(weights(whole), weights(end));
        RunState state = RunCheckpoint.state(RunCheckpoint.latest(folder.resolve("whole")).orElseThrow());
        RunState killed = RunCheckpoint.state(RunCheckpoint.latest(run).orElseThrow());
        assertTrue(state.position() >= 4 * (steps + 4 * 30), "four rewinds leave batches out: position " + state.position());
        assertEquals(state.position(), killed.position());
        assertEquals(state.safety(), killed.safety());
    }

    private static List<String> weights(List<String> lines) {
        List<String> weights = lines.stream().filter(line -> !Character.isDigit(line.charAt(0))).toList();
        assertTrue(weights.size() >= 6, lines.toString());
        return weights;
    }

    /** SIGTERM ends the run after its step, with a checkpoint, where no regular one is due before the end. */
    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void aRunThatIsToldToEndSavesFirst() throws IOException, InterruptedException {
        Path run = folder.resolve("run");
        Path errors = folder.resolve("errors");
        long printed = 0;
        Process child = ChildRun.start(errors, "stitch", run, 400, 400, 0, folder.resolve("result"), "paced");
        try (BufferedReader out = child.inputReader()) {
            while (printed < 5) {
                printed = Long.parseLong(out.readLine().split(" ")[0]);
                if (printed < 5) {
                    go(child);
                }
            }
            child.toHandle().destroy(); // Process.destroy would close the stream that is read
            go(child);
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                printed = Long.parseLong(line.split(" ")[0]);
                go(child);
            }
        }
        assertEquals(128 + 15, child.waitFor(), "the exit status of a process that SIGTERM ended");
        assertEquals("", Files.readString(errors).lines().filter(line -> line.contains("SIGSEGV") || line.contains("Exception"))
                .collect(Collectors.joining("\n")));
        long step = assertWhole(RunCheckpoint.latest(run).orElseThrow(), 400);
        assertTrue(step >= 5 && step < 400 && step == printed, "stopped at step " + step + ", the last one printed was " + printed);
        List<String> end = ChildRun.run("stitch", run, TinyRuns.config(400), 400);
        List<String> whole = ChildRun.run("stitch", folder.resolve("whole"), TinyRuns.config(400), 400);
        assertEquals(whole.subList((int) step, whole.size()), end, "losses and weights from step " + step + " on");
    }

    /** Each kill comes in a step of its own choice, so that none comes too late, however busy the machine. */
    private void killAndResume(int kills, long steps, long seed) throws IOException, InterruptedException {
        SplittableRandom random = new SplittableRandom(seed);
        Path run = folder.resolve("run");
        long reached = 0;
        for (int i = 0; i < kills; i++) {
            killAfter("stitch", run, steps, random.nextInt(1, 40), random.nextInt(20));
            Optional<Path> latest = RunCheckpoint.latest(run);
            if (latest.isPresent()) {
                long step = assertWhole(latest.get(), steps);
                assertTrue(step >= reached, "kill " + i + " (seed " + seed + "): went back from step " + reached + " to " + step);
                reached = step;
            }
        }
        assertTrue(reached > 0 && reached < steps, "reached step " + reached);
        List<String> end = ChildRun.run("stitch", run, TinyRuns.config(steps), steps);
        List<String> whole = ChildRun.run("stitch", folder.resolve("whole"), TinyRuns.config(steps), steps);
        assertEquals(whole.subList((int) reached, whole.size()), end, "losses and weights from step " + reached + " on");
    }

    /** Starts the run, lets it make some steps, and kills it some milliseconds into the next one or after it. */
    private void killAfter(String kind, Path run, long steps, int stepsBefore, int milliseconds) throws IOException, InterruptedException {
        Path errors = folder.resolve("errors");
        Process child = ChildRun.start(errors, kind, run, steps, steps, 1, folder.resolve("result"), "paced");
        try (BufferedReader out = child.inputReader()) {
            for (int step = 0; step < stepsBefore; step++) {
                String line = out.readLine();
                assertTrue(line != null, () -> "the child made no step: " + read(errors));
                go(child);
            }
            Thread.sleep(milliseconds);
        } finally {
            child.destroyForcibly().waitFor();
        }
    }

    /** Lets a paced run make its next step; it may have ended meanwhile. */
    private static void go(Process child) throws IOException {
        try {
            child.getOutputStream().write('\n');
            child.getOutputStream().flush();
        } catch (IOException e) {
            if (!"Broken pipe".equals(e.getMessage()) && !"Stream closed".equals(e.getMessage())) {
                throw e;
            }
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Loads a checkpoint with all its hashes; returns its step. */
    private static long assertWhole(Path checkpoint, long steps) throws IOException {
        RunState state = RunCheckpoint.state(checkpoint);
        assertEquals(4 * state.step(), state.position());
        assertTrue(Files.exists(checkpoint.resolve("weights.safetensors")));
        try (StitchedModel model = TinyRuns.stitched(0.1);
                Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(steps), metrics -> { })) {
            Map<String, String> before = TinyRuns.hashes(model.stitchTensors());
            assertTrue(trainer.resumeFrom(checkpoint.getParent()));
            assertEquals(state.step(), trainer.step());
            assertTrue(!before.equals(TinyRuns.hashes(model.stitchTensors())), "the weights are restored");
        }
        return state.step();
    }
}
