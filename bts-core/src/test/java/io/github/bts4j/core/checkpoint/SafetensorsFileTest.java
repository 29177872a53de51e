package io.github.bts4j.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Order, reading, large files; wrong headers are {@link HostileHeaderTest}'s. */
class SafetensorsFileTest {

    private static final long GIB = 1L << 30;

    @TempDir
    private Path folder;

    @Test
    void entriesComeInTheOrderOfTheirData() {
        String header = "{" + SafetensorsBytes.vector("last", 3, 5) + "," + SafetensorsBytes.vector("first", 0, 3) + ","
                + SafetensorsBytes.vector("empty", 3, 3) + "}  \n\t ";
        Path path = SafetensorsBytes.write(folder.resolve("x"), SafetensorsBytes.file(header, 5));

        SafetensorsFile file = SafetensorsFile.open(path);

        assertEquals(path, file.file());
        assertEquals(List.of("first", "empty", "last"), file.entries().stream().map(TensorEntry::name).toList());
        assertEquals(Map.of(), file.metadata());
        assertEquals(ByteBuffer.wrap(new byte[] {3, 4}), file.read(file.entry("last")));
        assertEquals(0, file.read(file.entry("empty")).capacity());
        assertTrue(file.contains("first"));
        assertFalse(file.contains("second"));
        assertThrows(UnsupportedOperationException.class, () -> file.entries().clear());
        assertThrows(UnsupportedOperationException.class, () -> file.metadata().put("a", "b"));
    }

    @Test
    void aFileWithoutTensorsIsValid() {
        byte[] bytes = SafetensorsBytes.file("{\"__metadata__\":{\"a\":\"b\"}}", 0);
        Path path = SafetensorsBytes.write(folder.resolve("x"), bytes);
        SafetensorsFile file = SafetensorsFile.open(path);
        assertEquals(List.of(), file.entries());
        assertEquals(Map.of("a", "b"), file.metadata());
    }

    @Test
    void aTensorThatIsNotThereIsNamed() {
        SafetensorsFile file = SafetensorsFile.open(SafetensorsBytes.shard(folder.resolve("x"), "a", "b", "c", "d"));
        assertEquals(file.file() + ": tensor 'w': not there; the 4 tensors are 'a', 'b', 'c', ...: "
                + "is this the right checkpoint?",
                assertThrows(ModelFormatException.class, () -> file.entry("w")).getMessage());
    }

    @Test
    void anEntryOfAnotherFileIsNotRead() {
        SafetensorsFile file = SafetensorsFile.open(SafetensorsBytes.shard(folder.resolve("x"), "a"));
        SafetensorsFile other = SafetensorsFile.open(SafetensorsBytes.shard(folder.resolve("y"), "a"));
        String message = assertThrows(IllegalArgumentException.class, () -> file.read(other.entry("a"))).getMessage();
        assertTrue(message.startsWith("entry = TensorEntry[name=a, "), message);
        assertTrue(message.endsWith(" is not one of " + file.file()), message);
    }

    @Test
    void aFileThatShrinksOrGoesAfterOpeningIsNoticed() throws IOException {
        Path path = SafetensorsBytes.shard(folder.resolve("x"), "a", "b");
        SafetensorsFile file = SafetensorsFile.open(path);
        TensorEntry b = file.entry("b");
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            channel.truncate(b.offset() + 1);
        }
        assertEquals(path + ": tensor 'b', byte " + (b.offset() + 1) + ": the file ends here, it was longer when it was "
                + "opened: did another program change it?",
                assertThrows(ModelFormatException.class, () -> file.read(b)).getMessage());
        Files.delete(path);
        assertEquals(path + ": cannot be read: java.nio.file.NoSuchFileException: " + path,
                assertThrows(ModelFormatException.class, () -> file.read(b)).getMessage());
    }

    @Test
    void tensorsBeyondFourGibAreFoundAndOnesTooLargeForABufferRefused() throws IOException {
        long large = 4 * GIB + 12;
        String header = "{\"large\":{\"dtype\":\"BF16\",\"shape\":[" + large / 2 + "],\"data_offsets\":[0," + large + "]},"
                + "\"tail\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[" + large + "," + (large + 3) + "]}}";
        Path path = folder.resolve("sparse.safetensors");
        try (FileChannel channel = FileChannel.open(
                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            ByteBuffer start = ByteBuffer.allocate(8 + header.length()).order(ByteOrder.LITTLE_ENDIAN);
            channel.write(start.putLong(header.length()).put(header.getBytes(StandardCharsets.UTF_8)).flip());
            channel.write(ByteBuffer.wrap(new byte[] {7, 8, 9}), 8 + header.length() + large);
        }

        SafetensorsFile file = SafetensorsFile.open(path);

        assertEquals(large / 2, file.entry("large").elements());
        assertEquals(8 + header.length() + large, file.entry("tail").offset());
        assertEquals(ByteBuffer.wrap(new byte[] {7, 8, 9}), file.read(file.entry("tail")));
        assertEquals("tensor 'large' has 4294967308 bytes, above the limit of 2147483639 for one buffer; map " + path
                + " from byte " + (8 + header.length()) + " in pieces instead",
                assertThrows(IllegalArgumentException.class, () -> file.read(file.entry("large"))).getMessage());
    }

    @Test
    void tensorsOfSeveralMebibytesAreReadWhole() throws IOException {
        int size = 3 * (1 << 20) + 5;
        byte[] bytes = SafetensorsBytes.file("{" + SafetensorsBytes.vector("a", 0, size) + "}", size);
        SafetensorsFile file = SafetensorsFile.open(SafetensorsBytes.write(folder.resolve("x"), bytes));
        assertEquals(ByteBuffer.wrap(bytes, bytes.length - size, size), file.read(file.entry("a")));
    }
}
