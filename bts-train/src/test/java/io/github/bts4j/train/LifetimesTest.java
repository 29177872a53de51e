package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** No order of opening, computing, changing and closing ends the process, or gives an answer that no model gives: see {@link LifetimePrograms}. */
class LifetimesTest {
    private static final int FEW = LifetimeModels.KINDS;
    private static final int MANY = Integer.getInteger("bts4j.lifetimeTrials", 1000);

    @TempDir
    private static Path folder;

    @BeforeAll
    static void models() throws IOException {
        LifetimeModels.write(folder);
    }

    @Test
    void fewTrials() throws IOException, InterruptedException {
        run(FEW);
    }

    @Test
    @Tag("slow")
    void manyTrials() throws IOException, InterruptedException {
        run(MANY);
    }

    private static void run(int trials) throws IOException, InterruptedException {
        Path output = folder.resolve(trials + ".txt");
        Process process = ChildJvm.start(output, List.of(), LifetimePrograms.class.getName(), String.join(",", LifetimePrograms.PROGRAMS), String.valueOf(trials), "7", folder.toString());
        if (!process.waitFor(300 + 10L * trials, TimeUnit.SECONDS)) { // its watchdog could not speak
            new ProcessBuilder("kill", "-QUIT", String.valueOf(process.pid())).start().waitFor(); // the Java machine prints all stacks
            Thread.sleep(5000);
            process.destroyForcibly();
        }
        assertEquals(0, process.waitFor(), () -> ChildJvm.text(output));
        assertEquals(LifetimePrograms.PROGRAMS.stream().map(program -> program + ": " + trials + " trials").toList(),
                Files.readAllLines(output).stream().filter(line -> line.endsWith(" trials")).toList());
    }
}
