package io.github.bts4j.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.support.FileErrors;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Failures of the operating system name their file. */
class FileErrorsTest {
    @TempDir
    private Path folder;

    @Test
    void aFullDeviceIsNamed() {
        Path full = Path.of("/dev/full");
        Assumptions.assumeTrue(Files.isWritable(full), "Linux has a device that is always full");
        IOException failure = assertThrows(IOException.class, () -> FileErrors.named(full, () -> Files.writeString(full, "x")));
        assertEquals("/dev/full: No space left on device", failure.getMessage());
    }

    @Test
    void whatIsThrownWhileAFileIsWrittenNamesTheTargetAndNotATemporaryFile() {
        Path file = folder.resolve("file.json");
        IOException failure = assertThrows(IOException.class, () -> AtomicFiles.write(file, channel -> {
            throw new IOException("No space left on device");
        }));
        assertEquals(file + ": No space left on device", failure.getMessage());
        assertEquals("No space left on device", failure.getCause().getMessage());
        assertTrue(Files.notExists(file));
    }

    @Test
    void kindsStayAndNamesAreNotRepeated() {
        Path file = Path.of("a", "b");
        assertEquals("a/b", assertThrows(AccessDeniedException.class, () -> FileErrors.named(file, () -> {
            throw new AccessDeniedException("other");
        })).getFile().replace('\\', '/'));
        NoSuchFileException named = new NoSuchFileException(file.toString());
        assertSame(named, FileErrors.naming(file, named));
    }
}
