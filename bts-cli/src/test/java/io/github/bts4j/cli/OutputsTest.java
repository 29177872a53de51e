package io.github.bts4j.cli;

import static io.github.bts4j.cli.Commands.bts;
import static io.github.bts4j.cli.Commands.done;
import static io.github.bts4j.cli.Commands.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.checkpoint.FolderContent;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.examples.TinyCheckpoints;
import io.github.bts4j.train.RunLock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One rule for the outputs of all commands: what holds something else is refused before any work, and stays as it was. */
class OutputsTest {
    @TempDir
    private static Path root;

    private static Path seed;
    private static Path other;
    private static Path stitched;
    private static Path code;

    @TempDir
    private Path folder;

    @BeforeAll
    static void prepare() throws IOException {
        seed = TinyCheckpoints.write(root.resolve("seed"), 1);
        other = TinyCheckpoints.write(root.resolve("other"), 2);
        code = Files.write(root.resolve("code.jsonl"), IntStream.range(0, 40).mapToObj(i -> "{\"text\": \"int f" + i + "() { return " + i + "; }\"}").toList());
        stitched = root.resolve("stitched");
        done("stitch", seed, "--expert", "code=" + other, "--data", "code=" + code, "--steps", 1, "--batch", 1, "--sequence", 16, "--stitches", 2, "--out", stitched);
        done("add-expert", stitched, "more", other, root.resolve("three"));
    }

    private List<Object[]> commands(Path out) {
        return List.of(new Object[] {"convert", seed, out}, new Object[] {"branch", seed, out}, new Object[] {"merge", "linear", "--model", seed, "--model", other, "--out", out},
                new Object[] {"train", seed, "--data", "code=" + code, "--steps", 1, "--batch", 1, "--sequence", 16, "--out", out},
                new Object[] {"stitch", seed, "--expert", "code=" + other, "--data", "code=" + code, "--steps", 1, "--batch", 1, "--sequence", 16, "--stitches", 2, "--out", out},
                new Object[] {"train-stitches", stitched, "--data", "code=" + code, "--steps", 1, "--batch", 1, "--sequence", 16, "--out", out},
                new Object[] {"add-expert", stitched, "again", other, out}, new Object[] {"remove-expert", root.resolve("three"), "more", out});
    }

    private static Object[] forced(Object[] command) {
        Object[] all = java.util.Arrays.copyOf(command, command.length + 1);
        all[command.length] = "--force";
        return all;
    }

    @Test
    void whatHoldsSomethingElseIsRefusedAndReplacedWithForce() throws IOException {
        for (int i = 0; i < commands(folder).size(); i++) {
            Path out = Files.createDirectory(folder.resolve("out" + i));
            Files.writeString(out.resolve("config.json"), "{}");
            Files.writeString(out.resolve("model-00001-of-00002.safetensors"), "one shard");
            Files.writeString(out.resolve("model.safetensors.index.json"), "{}");
            Files.writeString(out.resolve("stitch.json"), "{}");
            Files.writeString(out.resolve("notes.txt"), "mine");
            Map<String, String> before = FolderContent.of(out);
            Object[] command = commands(out).get(i);
            refused(out + " holds a stitched model (config.json, model-00001-of-00002.safetensors, model.safetensors.index.json, ..): give another folder, or --force to replace it", command);
            assertEquals(before, FolderContent.of(out), command[0] + " left everything as it was");
            done(forced(command));
            done("inspect", out);
            Map<String, String> after = FolderContent.of(out);
            assertEquals(before.get("notes.txt"), after.get("notes.txt"), "what is no part of a checkpoint stays");
            boolean isStitched = after.containsKey("stitch.json");
            assertEquals(isStitched, !after.containsKey("config.json"), "one kind of model: " + after.keySet());
            assertFalse(after.containsKey("model.safetensors.index.json") || after.keySet().stream().anyMatch(name -> name.contains("00001") || name.contains(".bts4j")), after.keySet().toString());
        }
    }

    @Test
    void anEmptyFolderAndOneThatIsNotThereAreTaken() throws IOException {
        for (int i = 0; i < commands(folder).size(); i++) {
            done(commands(Files.createDirectory(folder.resolve("empty" + i))).get(i));
            Path deep = folder.resolve("not/there/yet" + i);
            done(commands(deep).get(i));
            assertEquals(FolderContent.of(folder.resolve("empty" + i)).keySet().stream().filter(name -> !name.startsWith("stitch-")).toList(),
                    FolderContent.of(deep).keySet().stream().filter(name -> !name.startsWith("stitch-")).toList());
        }
    }

    @Test
    void whatIsReadIsNeverWrittenTo() throws IOException {
        Map<String, String> before = FolderContent.of(root);
        for (Path out : List.of(seed, root)) {
            refused(out + " holds " + seed + ", which is an input: give another folder", "convert", seed, out, "--force");
            refused("which is an input", "branch", seed, folder.resolve("a"), out, "--force");
            refused("which is an input", "merge", "linear", "--model", other, "--model", seed, "--out", out, "--force");
            refused("which is an input", "train", seed, "--data", "code=" + code, "--out", out, "--force");
            refused("which is an input", "stitch", seed, "--expert", "code=" + other, "--data", "code=" + code, "--out", out, "--force");
            refused("which is an input", "stitch", other, "--expert", "code=" + seed, "--data", "code=" + code, "--out", out, "--force");
            refused("which is an input", "add-expert", stitched, "again", other, out, "--force");
            refused("which is an input", "train-stitches", stitched, "--data", "code=" + code, "--out", out, "--force");
        }
        refused("which is an input", "remove-expert", root.resolve("three"), "more", root.resolve("three"), "--force");
        Path link = Files.createSymbolicLink(folder.resolve("link"), seed);
        refused("which is an input", "convert", seed, link, "--force");
        assertEquals(before, FolderContent.of(root));
    }

    @Test
    void anOutputThatCannotBeWrittenIsToldBeforeTheFirstStep() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "mine");
        for (Object[] command : commands(file)) {
            refused(file + " is a file: give a folder", forced(command));
        }
        for (Object[] command : commands(file.resolve("below"))) {
            refused(file.resolve("below") + " cannot be written to", command);
        }
        assertFalse(Files.exists(folder.resolve("file-run")), "nothing was made");
    }

    @Test
    void aRunIsBoundToItsModelAndKnowsItsOwnProduct() throws IOException {
        Path out = folder.resolve("expert");
        Object[] command = {"train", seed, "--data", "code=" + code, "--steps", 2, "--batch", 1, "--sequence", 16, "--out", out};
        done(command);
        Map<String, String> first = FolderContent.of(out);
        done(command);
        assertEquals(first, FolderContent.of(out), "the same run, at its end, saves the same again");

        Object[] another = command.clone();
        another[1] = other;
        refused("weights that the training starts from", another);
        assertEquals(first, FolderContent.of(out));
        done(forced(another));
        assertNotEquals(first.get("model.safetensors"), FolderContent.of(out).get("model.safetensors"));
        Path fresh = folder.resolve("fresh");
        another[another.length - 1] = fresh;
        done(another);
        assertEquals(FolderContent.of(fresh).get("model.safetensors"), FolderContent.of(out).get("model.safetensors"), "as if nothing had been there");

        Files.writeString(out.resolve("config.json"), "{}");
        refused("holds a model", command);
        Files.writeString(folder.resolve("expert-run/notes.txt"), "mine");
        refused("contains other files than a run's, such as notes.txt", forced(command));
    }

    @Test
    void aRunInMixedPrecisionIsResumedInIt() throws IOException {
        Path out = folder.resolve("mixed");
        List<Object> command = List.of("train", seed, "--data", "code=" + code, "--batch", 1, "--sequence", 16, "--save-every", 1, "--out", out, "--steps", 2);
        List<Object> mixed = Stream.concat(command.stream(), Stream.of("--mixed-precision")).toList();
        done(mixed.toArray());
        assertEquals(Precision.FLOAT32, LlamaConfig.read(out.resolve("config.json")).dtype(), "weights stay float32");
        refused("computed in", command.toArray());
        done(mixed.toArray());
    }

    @Test
    void oneProcessAtATimeTrainsInARunsFolder() throws IOException {
        Path out = folder.resolve("expert");
        try (RunLock lock = RunLock.acquire(folder.resolve("expert-run"))) {
            refused("is already being trained: wait for it to end, or use another folder", "train", seed, "--data", "code=" + code, "--steps", 1, "--batch", 1, "--sequence", 16, "--out", out);
            assertTrue(Files.isDirectory(lock.folder()) && !Files.exists(out));
        }
        done("train", seed, "--data", "code=" + code, "--steps", 1, "--batch", 1, "--sequence", 16, "--out", out);
    }

    @Test
    void typesArePartOfAStitchRun() {
        Path out = folder.resolve("stitch");
        Object[] command = {"stitch", seed, "--expert", "code=" + other, "--data", "code=" + code, "--steps", 1, "--batch", 1, "--sequence", 16, "--stitches", 2, "--out", out};
        done(command);
        done(command);
        for (String option : List.of("--dtype=bfloat16", "--int8")) {
            Object[] changed = java.util.Arrays.copyOf(command, command.length + 1);
            changed[command.length] = option;
            refused("hub computes in: saved FLOAT32, now ", changed);
        }
    }

    @Test
    void optionsThatWouldDoNothingAreNotOffered() {
        for (String option : List.of("--int8", "--dtype=float32", "--device=cpu", "--repack")) {
            assertEquals(2, bts("branch", seed, folder.resolve("x"), option).status(), option);
            assertEquals(2, bts("remove-expert", stitched, "code", folder.resolve("x"), option).status(), option);
        }
        for (String command : List.of("train", "stitch", "train-stitches", "gates", "convert", "merge", "plan")) {
            assertFalse(done(command, "--help").out().contains("--[no-]repack"), command);
        }
        Path out = folder.resolve("x");
        refused("--patience 3 needs --hold-out", "train", seed, "--data", "code=" + code, "--patience", 3, "--out", out);
        refused("--overlap 3 needs --by-document", "eval", seed, "--data", "code=" + code, "--overlap", 3);
        assertFalse(Files.exists(out));
    }

    @Test
    void anExperimentsFolderHoldsAnExperiment() throws IOException {
        Path out = Files.createDirectories(folder.resolve("quick"));
        Files.writeString(out.resolve("config.json"), "{}");
        refused("holds a model (config.json): give another folder, or --force to replace it", "quickstart", "--out", out);
    }

    /** A new or newer expert is read whole before anything is written. */
    @ParameterizedTest
    @ValueSource(ints = {0x7fc00000, 0x7f800000})
    void anExpertWithAWeightThatIsNoNumberIsRefused(int bits) throws IOException {
        Path damaged = TinyCheckpoints.write(folder.resolve("damaged"), 3);
        Path weights = damaged.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(bytes.length - Float.BYTES, bits); // the last weight of the last tensor
        Files.write(weights, bytes);
        Path out = folder.resolve("out");
        refused("is NaN or infinite", "add-expert", stitched, "again", damaged, out);
        refused("is NaN or infinite", "replace-expert", stitched, "code", damaged, out);
        assertFalse(Files.exists(out));
    }
}
