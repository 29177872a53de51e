package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Shared models under everything at once, see {@link Soak}: answers are those of a single thread, and memory, open files and threads stay flat. */
@EnabledOnOs(OS.LINUX)
class SoakTest {
    private static final int FEW_SECONDS = 8;
    private static final int MANY_SECONDS = Integer.getInteger("bts4j.soakSeconds", 600);
    private static final int WARM_UP = 2; // rounds
    private static final Pattern ROUND = Pattern.compile("round \\d+: (\\{.*})");

    /**
     * What native memory may gain: free pieces between used ones, and what the Java machine's compiler takes. A model's weights are 256 KiB at least (2048 rows of 32
     * in two bytes, as embedding table and as head), and some thousands are opened in ten minutes: one in ten that is never freed shows.
     */
    private static final long NATIVE = 64L << 20;

    /** What the heap may gain: what is kept for each opened model would have to be below a KiB. */
    private static final long HEAP = 4L << 20;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void models() throws IOException {
        LifetimeModels.write(folder);
    }

    @Test
    void aFewSeconds() throws IOException, InterruptedException {
        soak(FEW_SECONDS);
    }

    @Test
    @Tag("slow")
    void minutes() throws IOException, InterruptedException {
        soak(MANY_SECONDS);
    }

    private static void soak(int seconds) throws IOException, InterruptedException {
        Path output = folder.resolve(seconds + ".txt");
        Process process = ChildJvm.start(output, List.of(), "-Xms1g", "-XX:+AlwaysPreTouch", Soak.class.getName(), folder.toString(), String.valueOf(seconds), "5");
        if (!process.waitFor(600 + 2L * seconds, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        assertEquals(0, process.waitFor(), () -> ChildJvm.text(output));
        List<ProcessFigures> rounds = Files.readAllLines(output).stream().map(ROUND::matcher).filter(Matcher::matches).map(line -> ProcessFigures.parse(line.group(1))).toList();
        assertFlat(rounds.get(WARM_UP - 1), rounds.get(rounds.size() - 1), ChildJvm.text(output));
    }

    private static void assertFlat(ProcessFigures before, ProcessFigures after, String text) {
        assertTrue(after.nativeBytes() - before.nativeBytes() <= NATIVE, "native memory\n" + text);
        assertTrue(after.heapBytes() - before.heapBytes() <= HEAP, "heap\n" + text);
        assertEquals(Map.of(), OpenFiles.leaked(before.files(), after.files()), "left open\n" + text);
        assertTrue(after.threads() <= before.threads(), "threads\n" + text);
        assertEquals(before.tensors(), after.tensors(), "tensors\n" + text);
    }
}
