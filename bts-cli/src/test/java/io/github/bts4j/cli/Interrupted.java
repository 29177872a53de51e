package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command line in a process that sends itself SIGINT when it prints its first step, and goes on once it has begun to end: no signal can come too late, however busy the machine. */
final class Interrupted {
    private static final String SIGN = "step 1/";

    private Interrupted() {
    }

    /** The command's words before its arguments. Where whoever started the tests ignores SIGINT, as shells do for what runs in the background, so would the process: it is told otherwise. */
    static List<String> command() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        if (isIgnored()) {
            List<String> reset = List.of("env", "--default-signal=INT");
            assumeFalse(status(reset, "true") != 0, "SIGINT is ignored here, and env cannot change that");
            command.addAll(reset);
        }
        command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp", System.getProperty("java.class.path"), Interrupted.class.getName()));
        return command;
    }

    private static int status(List<String> words, String last) throws InterruptedException {
        List<String> command = new ArrayList<>(words);
        command.add(last);
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor();
        } catch (IOException e) {
            return 127; // there is no such program
        }
    }

    /** Linux tells it; elsewhere the test finds out. */
    private static boolean isIgnored() throws IOException {
        Path status = Path.of("/proc/self/status");
        return Files.exists(status) && Files.readString(status).lines().filter(line -> line.startsWith("SigIgn:"))
                .anyMatch(line -> (Long.parseUnsignedLong(line.substring("SigIgn:".length()).strip(), 16) & 1 << 2 - 1) != 0);
    }

    public static void main(String[] arguments) {
        System.setOut(watched(System.out));
        System.setErr(watched(System.err));
        Bts.main(arguments);
    }

    private static PrintStream watched(PrintStream stream) {
        return new PrintStream(new OutputStream() {
            private final StringBuilder line = new StringBuilder();

            @Override
            public void write(int b) {
                stream.write(b);
                stream.flush();
                line.append((char) b);
                if (line.indexOf(SIGN) >= 0) {
                    line.setLength(0);
                    interrupt();
                } else if (b == '\n') {
                    line.setLength(0);
                }
            }
        }, true, StandardCharsets.UTF_8);
    }

    private static void interrupt() {
        try {
            new ProcessBuilder("kill", "-INT", Long.toString(ProcessHandle.current().pid())).start().waitFor();
            while (true) {
                Thread hook = new Thread(() -> { });
                Runtime.getRuntime().addShutdownHook(hook); // refused once the Java machine has begun to end
                Runtime.getRuntime().removeShutdownHook(hook);
                Thread.sleep(1);
            }
        } catch (IllegalStateException e) {
            return; // it has
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
