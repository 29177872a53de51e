package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.bts4j.examples.TinyCheckpoints;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Processes on a full disk and in a small heap: one line, which says what is full. */
@Tag("slow")
@EnabledOnOs(OS.LINUX)
class ScarceMachineTest {
    @TempDir
    private static Path folder;

    private record Result(int status, String err) {}

    @BeforeAll
    static void prepare() throws IOException {
        TinyCheckpoints.write(folder.resolve("seed"), 1);
        Files.write(folder.resolve("text.jsonl"), IntStream.range(0, 40).mapToObj(i -> "{\"text\": \"int f" + i + "() { return " + i + "; }\"}").toList());
        Files.createDirectory(folder.resolve("small"));
    }

    private static Result shell(String script, String heap) throws IOException, InterruptedException {
        String java = "'" + Path.of(System.getProperty("java.home"), "bin", "java") + "' -Xmx" + heap + " -cp '" + System.getProperty("java.class.path") + "' " + Bts.class.getName();
        Path err = folder.resolve("err.txt");
        Process process = new ProcessBuilder("bash", "-c", script.replace("BTS", java)).directory(folder.toFile()).redirectError(err.toFile()).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        try {
            assertTrue(process.waitFor(600, TimeUnit.SECONDS), "it ends");
        } finally {
            process.destroyForcibly();
        }
        String text = Files.readString(err).lines().filter(line -> !line.startsWith("WARNING:") && !line.startsWith("step ") && !line.startsWith("Read so far")).collect(Collectors.joining("\n"));
        return new Result(process.exitValue(), text);
    }

    /** A file system of a few hundred KiB in a name space of its own, where the system lets users make one. */
    @ParameterizedTest
    @ValueSource(strings = {"convert seed small/out", "branch seed small/out", "merge linear --model seed --out small/out", "train seed --data code=text.jsonl --sequence 16 --batch 1 --steps 2 --out small/out"})
    void aFullDisk(String call) throws IOException, InterruptedException {
        assumeTrue(shell("unshare -rm mount -t tmpfs -o size=200k tmpfs small", "64m").status() == 0, "this system lets no user mount a file system");
        Result result = shell("exec unshare -rm bash -c \"mount -t tmpfs -o size=200k tmpfs small && exec BTS " + call + "\"", "256m");
        assertEquals(1, result.status(), result.err());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().matches("bts \\w+: .*small/.*: No space left on device; free some space, or write elsewhere"), result.err());
    }

    @Test
    void aFullStandardOutput() throws IOException, InterruptedException {
        Result result = shell("BTS inspect seed > /dev/full", "256m");
        assertEquals(1, result.status(), result.err());
        assertEquals("bts: standard output cannot be written to: is the disk full, or has the reader ended?", result.err());
    }

    @Test
    void aHeapThatIsTooSmallIsNamedWithTheVariableThatSetsIt() throws IOException, InterruptedException {
        Files.write(folder.resolve("long.jsonl"), List.of("{\"text\": \"" + "word ".repeat(2_600_000) + "\"}"), StandardCharsets.UTF_8);
        Result result = shell("BTS eval seed --data code=long.jsonl", "40m");
        assertEquals(1, result.status(), result.err());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().contains("long.jsonl:1: the line is longer than ") && result.err().contains("BTS_HEAP"), result.err());
        Files.writeString(folder.resolve("long.txt"), "word ".repeat(2_600_000));
        result = shell("BTS eval seed --data code=long.txt", "40m");
        assertEquals(1, result.status(), result.err());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().contains("Text file long.txt has more than the ") && result.err().contains("BTS_HEAP"), result.err());
    }
}
