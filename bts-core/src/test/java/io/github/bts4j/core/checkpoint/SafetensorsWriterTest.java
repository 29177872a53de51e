package io.github.bts4j.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.checkpoint.SafetensorsWriter.Sink;
import io.github.bts4j.core.checkpoint.SafetensorsWriter.Source;
import io.github.bts4j.core.checkpoint.SafetensorsWriter.Tensor;
import io.github.bts4j.core.support.ElementType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written, and that a failure leaves the old file; the bytes of Python are {@link PythonFixtureTest}'s. */
class SafetensorsWriterTest {

    private static final byte[] OLD = {1, 2, 3};

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void anOldFile() throws IOException {
        file = Files.write(folder.resolve("model.safetensors"), OLD);
    }

    private static Tensor bytes(String name, int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return new Tensor(name, ElementType.UINT8, List.of((long) values.length), Source.of(ByteBuffer.wrap(bytes)));
    }

    private static Tensor of(Source source) {
        return new Tensor("w", ElementType.FLOAT32, List.of(2L), source);
    }

    private void assertOldFileAlone() throws IOException {
        assertArrayEquals(OLD, Files.readAllBytes(file));
        assertEquals(List.of("model.safetensors"), SafetensorsBytes.names(folder), "no temporary file is left");
    }

    private String refusal(Tensor... tensors) throws IOException {
        String message = assertThrows(IllegalArgumentException.class,
                () -> SafetensorsWriter.write(file, Map.of(), List.of(tensors))).getMessage();
        assertOldFileAlone();
        return message;
    }

    @Test
    void theBytesOfASmallFile() throws IOException {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("b", "\u0001é");
        metadata.put("a", "\"");
        SafetensorsWriter.write(file, metadata, List.of(bytes("z", 0, 1), bytes("y"), bytes("x", 2)));

        String header = "{\"__metadata__\":{\"a\":\"\\\"\",\"b\":\"\\u0001é\"}," + SafetensorsBytes.vector("z", 0, 2) + ","
                + SafetensorsBytes.vector("y", 2, 2) + "," + SafetensorsBytes.vector("x", 2, 3) + "}";
        int utf8Length = header.length() + 1;
        String padded = header + " ".repeat((8 - utf8Length % 8) % 8);
        assertArrayEquals(SafetensorsBytes.file(padded, 3), Files.readAllBytes(file));
        assertEquals(List.of("model.safetensors"), SafetensorsBytes.names(folder));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void dataStartsAtAMultipleOfEightBytes(int nameLength) throws IOException {
        SafetensorsWriter.write(file, Map.of(), List.of(bytes("n".repeat(nameLength), 5)));
        TensorEntry entry = SafetensorsFile.open(file).entry("n".repeat(nameLength));
        assertEquals(0, entry.offset() % 8);
    }

    @Test
    void aFileWithoutTensors() throws IOException {
        SafetensorsWriter.write(file, Map.of(), List.of());
        assertArrayEquals(SafetensorsBytes.file("{}      ", 0), Files.readAllBytes(file));
    }

    @Test
    void chunksOfAnySizeAreJoinedAndLeftUnchanged() throws IOException {
        int size = 3 * (1 << 20) + 7;
        ByteBuffer whole = ByteBuffer.wrap(SafetensorsBytes.file("", size), 8, size).slice();
        ByteBuffer direct = ByteBuffer.allocateDirect(size).put(whole.duplicate()).flip();
        Source pieces = sink -> {
            for (int at = 0, step = 1; at < size; at += step, step = step * 3 % 1_000_003) {
                step = Math.min(step, size - at);
                sink.accept(direct.slice(at, step));
                sink.accept(ByteBuffer.allocate(0));
            }
        };
        List<Long> shape = List.of((long) size);
        SafetensorsWriter.write(file, Map.of(), List.of(new Tensor("whole", ElementType.UINT8, shape, Source.of(whole)),
                new Tensor("pieces", ElementType.INT8, shape, pieces)));

        SafetensorsFile read = SafetensorsFile.open(file);
        assertEquals(whole, read.read(read.entry("whole")));
        assertEquals(whole, read.read(read.entry("pieces")));
        assertEquals(size, whole.remaining());
    }

    @Test
    void aSourceThatSuppliesTooFewOrTooManyBytes() throws IOException {
        String message = "the source of tensor 'w' supplies %s bytes, but F32 [2] takes 8";
        assertEquals(String.format(message, "0"), refusal(of(sink -> {})));
        assertEquals(String.format(message, "7"), refusal(of(Source.of(ByteBuffer.allocate(7)))));
        assertEquals(String.format(message, "more than 8"), refusal(of(Source.of(ByteBuffer.allocate(9)))));
        assertEquals(String.format(message, "more than 8"), refusal(of(sink -> {
            sink.accept(ByteBuffer.allocate(8));
            sink.accept(ByteBuffer.allocate(1));
        })));
    }

    @Test
    void aSourceThatFailsMidway() throws IOException {
        IOException full = new IOException("No space left on device");
        Tensor good = bytes("good", 1, 2, 3);
        Tensor failing = of(sink -> {
            sink.accept(ByteBuffer.allocate(4));
            assertEquals(2, SafetensorsBytes.names(folder).size(), "a temporary file is in use");
            throw full;
        });
        IOException told = assertThrows(IOException.class, () -> SafetensorsWriter.write(file, Map.of(), List.of(good, failing)));
        assertEquals(file + ": No space left on device", told.getMessage());
        assertSame(full, told.getCause());
        assertOldFileAlone();

        Error error = new OutOfMemoryError("test");
        assertSame(error, assertThrows(OutOfMemoryError.class,
                () -> SafetensorsWriter.write(file, Map.of(), List.of(good, of(sink -> {
                    throw error;
                })))));
        assertOldFileAlone();
    }

    @Test
    void aThreadThatIsInterruptedLeavesTheOldFile() throws IOException {
        assertThrows(IOException.class, () -> SafetensorsWriter.write(file, Map.of(), List.of(of(sink -> {
            Thread.currentThread().interrupt();
            sink.accept(ByteBuffer.allocate(8));
        }))));
        assertTrue(Thread.interrupted(), "the interrupt stays visible");
        assertOldFileAlone();
    }

    @Test
    void aSinkIsOfNoUseAfterItsTensor() throws IOException {
        List<Sink> kept = new ArrayList<>();
        Tensor first = of(sink -> {
            kept.add(sink);
            sink.accept(ByteBuffer.allocate(8));
        });
        Tensor second = new Tensor("v", ElementType.FLOAT32, List.of(), sink -> kept.get(0).accept(ByteBuffer.allocate(0)));
        assertEquals("tensor 'w' is written already", assertThrows(IllegalStateException.class,
                () -> SafetensorsWriter.write(file, Map.of(), List.of(first, second))).getMessage());
        assertOldFileAlone();
    }

    @Test
    void allProblemsOfTheArgumentsAreReportedAtOnce() throws IOException {
        Source none = sink -> {};
        assertEquals("tensor 'a' is given twice; tensor '__metadata__' has a name that the format reserves; "
                + "tensor 'deep' has 65 dimensions, above the limit of 64; "
                + "tensor '\\ud800' holds half a character (a lone surrogate); "
                + "tensor 'n': shape = [-1] has the negative dimension -1; "
                + "tensor 'huge': shape = [1152921504606846976, 8] takes the file above 9223372036854775807 bytes",
                refusal(bytes("a"), bytes("a"), bytes("__metadata__"),
                        new Tensor("deep", ElementType.UINT8, Collections.nCopies(65, 1L), none),
                        bytes("\ud800"),
                        new Tensor("n", ElementType.UINT8, List.of(-1L), none),
                        new Tensor("huge", ElementType.UINT8, List.of(1L << 60, 8L), none)));
        assertEquals("metadata value of 'k' holds half a character (a lone surrogate)",
                assertThrows(IllegalArgumentException.class,
                        () -> SafetensorsWriter.write(file, Map.of("k", "\udc00"), List.of())).getMessage());
        assertOldFileAlone();
    }

    @Test
    void namesAndTextThatReadersRefuse() throws IOException {
        assertEquals("tensor '" + "n".repeat(120) + "...' has 50001 characters, above the limit of 50000",
                refusal(bytes("n".repeat(50_001))));
        String key = "k".repeat(50_000);
        Map<String, String> metadata = Map.of(key, "v", key + "k", "v");
        assertEquals("metadata key '" + "k".repeat(120) + "...' has 50001 characters, above the limit of 50000",
                assertThrows(IllegalArgumentException.class,
                        () -> SafetensorsWriter.write(file, metadata, List.of())).getMessage());
        assertOldFileAlone();

        SafetensorsWriter.write(file, Map.of(key, "v"), List.of(bytes("n".repeat(50_000))));
        assertEquals("v", SafetensorsFile.open(file).metadata().get(key));
    }

    @Test
    @Tag("slow")
    void aHeaderAboveTheLimitOfReaders() throws IOException {
        String value = "v".repeat(10_000_000);
        Map<String, String> metadata = new LinkedHashMap<>();
        for (int i = 0; i < 10; i++) {
            metadata.put("k" + i, value);
        }
        assertEquals("header length = 100000104 bytes, above the limit of 100000000: write several files",
                assertThrows(IllegalArgumentException.class,
                        () -> SafetensorsWriter.write(file, metadata, List.of())).getMessage());
        assertOldFileAlone();
    }

    @Test
    @Tag("slow")
    void aTensorAboveTwoGibibytes() throws IOException {
        ByteBuffer chunk = ByteBuffer.wrap(new byte[1 << 20]);
        Tensor large = new Tensor("large", ElementType.BFLOAT16, List.of(1025L, 1L << 20), sink -> {
            for (int i = 0; i < 2050; i++) {
                sink.accept(chunk);
            }
        });
        SafetensorsWriter.write(file, Map.of(), List.of(large, bytes("tail", 9)));

        SafetensorsFile read = SafetensorsFile.open(file);
        assertEquals(2050L << 20, read.entry("large").length());
        assertEquals(ByteBuffer.wrap(new byte[] {9}), read.read(read.entry("tail")));
    }
}
