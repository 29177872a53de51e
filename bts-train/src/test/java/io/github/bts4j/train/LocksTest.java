package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.LockedException;
import io.github.bts4j.stitch.FrozenStateCache;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A folder that one process writes into is refused to another, and free when that process has ended, however it did. */
class LocksTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"run", "prefix"})
    @Timeout(120)
    void oneProcessAtATime(String kind) throws Exception {
        Process other = new ProcessBuilder(ChildJvm.command("-Xmx64m", Holder.class.getName(), kind, folder.toString())).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader said = other.inputReader(StandardCharsets.UTF_8)) {
            assertEquals("held", said.readLine());
            Path left = Files.createDirectory(folder.resolve(".checkpoint-of-the-other"));
            String message = assertThrows(LockedException.class, () -> hold(kind, folder).close()).getMessage();
            assertTrue(message.contains(folder.toString()) && message.contains("another folder"), message);
            assertTrue(Files.exists(left), "what the other process was writing");
        } finally {
            other.destroyForcibly().waitFor();
        }
        hold(kind, folder).close();
        try (Stream<Path> files = Files.list(folder)) {
            assertTrue(files.anyMatch(file -> file.endsWith("lock")));
        }
    }

    private static AutoCloseable hold(String kind, Path folder) throws IOException {
        return kind.equals("run") ? RunLock.acquire(folder) : FrozenStateCache.open(folder);
    }

    /** A process that holds a folder until it is killed. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] arguments) throws Exception {
            try (AutoCloseable lock = hold(arguments[0], Path.of(arguments[1]))) {
                System.out.println("held");
                Thread.sleep(120_000);
                System.out.println(lock);
            }
        }
    }
}
