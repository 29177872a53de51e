package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
        Process process = start(output, List.of(), LifetimePrograms.class.getName(), String.join(",", LifetimePrograms.PROGRAMS), String.valueOf(trials), "7", folder.toString());
        if (!process.waitFor(300 + 10L * trials, TimeUnit.SECONDS)) { // its watchdog could not speak
            new ProcessBuilder("kill", "-QUIT", String.valueOf(process.pid())).start().waitFor(); // the Java machine prints all stacks
            Thread.sleep(5000);
            process.destroyForcibly();
        }
        assertEquals(0, process.waitFor(), () -> text(output));
        assertEquals(LifetimePrograms.PROGRAMS.stream().map(program -> program + ": " + trials + " trials").toList(),
                Files.readAllLines(output).stream().filter(line -> line.endsWith(" trials")).toList());
    }

    /** A JVM with this one's class path, modules and settings; {@code launcher} is the command that starts it, such as {@code env}, empty for none. */
    static Process start(Path output, List<String> launcher, String... mainAndArguments) throws IOException {
        List<String> command = new ArrayList<>(launcher);
        command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp", System.getProperty("java.class.path"),
                "-XX:ErrorFile=" + output + ".crash", "-Dbts4j.golden=" + System.getProperty("bts4j.golden"), "-Dbts4j.testData=" + System.getProperty("bts4j.testData"),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Xmx1g"));
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream().filter(argument -> argument.startsWith("--add-modules")).forEach(command::add);
        command.addAll(List.of(mainAndArguments));
        return new ProcessBuilder(command).directory(output.getParent().toFile()).redirectErrorStream(true).redirectOutput(output.toFile()).start();
    }

    static String text(Path output) {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
