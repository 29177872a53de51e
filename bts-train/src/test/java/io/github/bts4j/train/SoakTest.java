package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Shared models under everything at once, see {@link Soak}: answers are those of a single thread, and memory, descriptors and threads stay flat. */
@EnabledOnOs(OS.LINUX)
class SoakTest {
    private static final int FEW_SECONDS = 8;
    private static final int MANY_SECONDS = Integer.getInteger("bts4j.soakSeconds", 600);
    private static final int WARM_UP = 2; // rounds
    private static final Pattern FIGURES = Pattern.compile("round \\d+: ProcessFigures\\[nativeBytes=(-?\\d+), heapBytes=(\\d+), descriptors=(\\d+), threads=(\\d+), tensors=(\\d+)]");

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
        List<long[]> rounds = Files.readAllLines(output).stream().map(FIGURES::matcher).filter(Matcher::matches).map(SoakTest::figures).toList();
        assertFlat(rounds.get(WARM_UP - 1), rounds.get(rounds.size() - 1), ChildJvm.text(output));
    }

    private static long[] figures(Matcher line) {
        long[] figures = new long[line.groupCount()];
        for (int i = 0; i < figures.length; i++) {
            figures[i] = Long.parseLong(line.group(i + 1));
        }
        return figures;
    }

    private static void assertFlat(long[] before, long[] after, String text) {
        assertTrue(after[0] - before[0] <= NATIVE, "native memory\n" + text);
        assertTrue(after[1] - before[1] <= HEAP, "heap\n" + text);
        assertTrue(after[2] - before[2] <= 0, "descriptors\n" + text);
        assertTrue(after[3] - before[3] <= 0, "threads\n" + text);
        assertEquals(before[4], after[4], "tensors\n" + text);
    }
}
