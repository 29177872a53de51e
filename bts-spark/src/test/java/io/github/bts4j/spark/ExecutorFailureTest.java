package io.github.bts4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.bts4j.core.MismatchException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** What a task's failure says: one line. */
class ExecutorFailureTest {
    private static String message(Throwable failure) {
        Callable<Object> failing = () -> {
            if (failure instanceof Error error) {
                throw error;
            }
            throw (Exception) failure;
        };
        return assertThrows(ExecutorFailure.class, () -> ExecutorFailure.describing(failing)).getMessage();
    }

    @Test
    void oneLineEach() {
        assertEquals("IOException: File too large", message(new IOException("File too large")));
        assertEquals("a does not exist: mount it", message(new NoSuchFileException("a", null, "mount it")));
        assertEquals("2 problems: a; b-c", message(new MismatchException("2 problems:\n  - a\n  - b-c")));
        NoClassDefFoundError second = new NoClassDefFoundError("Could not initialize class com.sun.jna.NativeLibrary");
        second.initCause(new UnsatisfiedLinkError("Failed to create temporary file: No space left on device"));
        assertEquals("A class or native library cannot be loaded: UnsatisfiedLinkError: Failed to create temporary file: No space left on device; restart the executor when this is mended", message(second));
    }
}
