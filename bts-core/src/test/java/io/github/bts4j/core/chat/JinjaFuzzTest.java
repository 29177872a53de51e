package io.github.bts4j.core.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.ChatTemplateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Templates by strangers: whatever they are, there is a text or a {@link ChatTemplateException}, within a second of computing, and with no more than 64 MiB alive.
 *
 * <p>They run in a process whose heap is 64 MiB more than what is alive in it before the first of them, with the serial collector, which throws {@link OutOfMemoryError} only when
 * what is alive and what is asked for do not fit together. So where no such error comes, no template held more than 64 MiB at any time, its own text included; garbage does not count.
 */
class JinjaFuzzTest {
    private static final long MAX_BYTES = 64L << 20;

    @TempDir
    Path folder;

    private List<String> process(long heap, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx" + (heap >> 10) + "k", "-XX:+UseSerialGC",
                "-Dbts4j.testData=" + System.getProperty("bts4j.testData"), "-cp", System.getProperty("java.class.path"), JinjaFuzz.class.getName()));
        command.addAll(arguments);
        Path out = folder.resolve("out.txt");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile()).start();
        int status = process.waitFor();
        List<String> lines = Files.readAllLines(out);
        assertEquals(0, status, () -> String.join("\n", lines));
        return lines;
    }

    /** The number of templates. */
    private int run(String... arguments) throws IOException, InterruptedException {
        List<String> baseline = new ArrayList<>(List.of(arguments));
        baseline.add("baseline");
        long alive = Long.parseLong(process(1 << 30, baseline).get(0));
        List<String> lines = process(alive + MAX_BYTES, List.of(arguments));
        assertEquals(1, lines.size(), () -> String.join("\n", lines));
        System.out.println("JinjaFuzzTest: " + lines.get(0) + ", heap " + (alive >> 20) + " + 64 MiB");
        return Integer.parseInt(lines.get(0).split(" ")[0]);
    }

    @Test
    void aThousandMutatedTemplates() throws IOException, InterruptedException {
        int count = Integer.getInteger("bts4j.fuzz", 1000);
        assertEquals(count, run("mutated", Integer.toString(count), "25"));
    }

    @Test
    @Tag("slow")
    void fiftyThousandMutatedTemplates() throws IOException, InterruptedException {
        assertEquals(50_000, run("mutated", "50000", "26"));
    }

    @Test
    void hostileTemplatesAreHeldBack() throws IOException, InterruptedException {
        assertTrue(run("hostile", "7") >= 70);
    }

    @Test
    @Tag("slow")
    void allHostileTemplatesAreHeldBack() throws IOException, InterruptedException {
        assertTrue(run("hostile", "1") >= 500);
    }
}
