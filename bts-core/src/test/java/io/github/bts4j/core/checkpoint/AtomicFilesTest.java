package io.github.bts4j.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole and new, or as before. */
class AtomicFilesTest {

    @TempDir
    private Path folder;

    @Test
    void writesTextAndBytesOverAnOldFile() throws IOException {
        Path file = folder.resolve("run.json");
        AtomicFiles.write(file, "{\"name\": \"größe\"}");
        assertEquals("{\"name\": \"größe\"}", Files.readString(file));
        AtomicFiles.write(file, new byte[] {1, 2});
        assertArrayEquals(new byte[] {1, 2}, Files.readAllBytes(file));
        AtomicFiles.write(file, "");
        assertEquals(0, Files.size(file));
        assertEquals(List.of("run.json"), SafetensorsBytes.names(folder));
    }

    @Test
    void theOldFileStaysUntilTheNewOneIsWhole() throws IOException {
        Path file = Files.writeString(folder.resolve("run.json"), "old");
        AtomicFiles.write(file, channel -> {
            channel.write(ByteBuffer.wrap(new byte[] {1}));
            assertEquals("old", Files.readString(file));
        });
        assertArrayEquals(new byte[] {1}, Files.readAllBytes(file));
    }

    @Test
    void aFailureLeavesTheOldFileAlone() throws IOException {
        Path file = Files.writeString(folder.resolve("run.json"), "old");
        assertEquals(file + ": No space left on device", assertThrows(IOException.class, () -> AtomicFiles.write(file, channel -> {
            channel.write(ByteBuffer.wrap(new byte[] {1}));
            throw new IOException("No space left on device");
        })).getMessage());
        assertEquals("old", Files.readString(file));
        assertEquals(List.of("run.json"), SafetensorsBytes.names(folder));
    }

    @Test
    void aFailedRenameLeavesNoTemporaryFile() throws IOException {
        Path target = Files.createDirectories(folder.resolve("run.json/inside")).getParent();
        assertThrows(FileSystemException.class, () -> AtomicFiles.write(target, "new"));
        assertEquals(List.of("run.json"), SafetensorsBytes.names(folder));
        assertEquals(List.of("inside"), SafetensorsBytes.names(target));
    }

    @Test
    void aLinkIsReplacedAndItsTargetStays() throws IOException {
        Path blob = Files.writeString(folder.resolve("blob"), "shared");
        Path link = Files.createSymbolicLink(folder.resolve("link"), blob);
        AtomicFiles.write(link, "new");
        assertEquals("shared", Files.readString(blob));
        assertEquals("new", Files.readString(link));
        assertFalse(Files.isSymbolicLink(link));
    }

    @Test
    void pathsThatCannotBeWritten() {
        Path missing = folder.resolve("missing");
        assertEquals(missing + ": no such folder for run.json, create it first", assertThrows(NoSuchFileException.class,
                () -> AtomicFiles.write(missing.resolve("run.json"), "x")).getMessage());
        Path root = folder.getRoot();
        assertEquals("file = " + root + " is not the path of a file",
                assertThrows(IllegalArgumentException.class, () -> AtomicFiles.write(root, "x")).getMessage());
    }
}
