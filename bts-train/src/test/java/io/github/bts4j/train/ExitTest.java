package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A process that is told to end, or ends itself, while several threads compute: its status is the signal's or its own, it crashes never, and hooks compute. */
@EnabledOnOs(OS.LINUX)
class ExitTest {
    private static final int MANY = Integer.getInteger("bts4j.exitTrials", 50);

    /** Shells start what runs in the background with SIGINT ignored, which children inherit and Java respects. */
    private static final List<String> SIGNALS_AS_IN_A_TERMINAL = List.of("env", "--default-signal=INT");

    @TempDir
    private static Path folder;

    @BeforeAll
    static void models() throws IOException {
        LifetimeModels.write(folder);
    }

    @ParameterizedTest
    @CsvSource({"scoring, TERM, 143", "generating, INT, 130", "exit, none, 7"})
    void fewTimes(String program, String signal, int status) throws IOException, InterruptedException {
        end(program, signal, status, 2);
    }

    @ParameterizedTest
    @CsvSource({"scoring, TERM, 143", "scoring, INT, 130", "generating, TERM, 143", "generating, INT, 130", "exit, none, 7"})
    @Tag("slow")
    void manyTimes(String program, String signal, int status) throws IOException, InterruptedException {
        end(program, signal, status, MANY);
    }

    private static void end(String program, String signal, int status, int trials) throws IOException, InterruptedException {
        SplittableRandom random = new SplittableRandom(11);
        for (int trial = 0; trial < trials; trial++) {
            Path output = folder.resolve(program + signal + trial + ".txt");
            Process process = ChildJvm.start(output, SIGNALS_AS_IN_A_TERMINAL, ExitPrograms.class.getName(), program, String.valueOf(trial), folder.toString());
            try {
                while (process.isAlive() && !ChildJvm.text(output).contains("ready")) {
                    Thread.sleep(5);
                }
                if (!signal.equals("none")) {
                    Thread.sleep(random.nextInt(1500)); // some in the first calls of kernels, some later
                    assertEquals(0, new ProcessBuilder("kill", "-" + signal, String.valueOf(process.pid())).start().waitFor());
                }
                assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the process does not end");
                assertEquals(status, process.exitValue(), () -> ChildJvm.text(output));
                assertTrue(ChildJvm.text(output).contains("A hook computes: true"), () -> ChildJvm.text(output));
                assertFalse(Files.exists(Path.of(output + ".crash")), "a crash report");
            } finally {
                process.destroyForcibly();
            }
        }
    }
}
