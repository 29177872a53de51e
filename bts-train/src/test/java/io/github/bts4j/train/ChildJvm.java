package io.github.bts4j.train;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** JVMs that tests start, to see how they end. */
public final class ChildJvm {
    private ChildJvm() {}

    /**
     * The command for a JVM with this one's class path and test data.
     *
     * @param arguments options, the main class and its arguments
     * @return the command
     */
    public static List<String> command(String... arguments) {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp", System.getProperty("java.class.path"),
                "-Dbts4j.golden=" + System.getProperty("bts4j.golden"), "-Dbts4j.testData=" + System.getProperty("bts4j.testData")));
        command.addAll(List.of(arguments));
        return command;
    }

    /** A JVM with this one's modules too, and settings for long runs; {@code launcher} is the command that starts it, such as {@code env}, empty for none. */
    static Process start(Path output, List<String> launcher, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(launcher);
        command.addAll(command("-XX:ErrorFile=" + output + ".crash", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Xmx1g"));
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream().filter(argument -> argument.startsWith("--add-modules")).forEach(command::add);
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).directory(output.getParent().toFile()).redirectErrorStream(true).redirectOutput(output.toFile()).start();
    }

    /** What it printed so far. */
    static String text(Path output) {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
