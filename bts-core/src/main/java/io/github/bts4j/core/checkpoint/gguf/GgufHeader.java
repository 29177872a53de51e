package io.github.bts4j.core.checkpoint.gguf;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a GGUF header: magic, version, two counts, the metadata (key, type, value), and for every tensor its name, dimensions (innermost first), type
 * and offset into the data, which begins at the next multiple of the alignment.
 */
final class GgufHeader {
    private static final int MAGIC = 0x46554747;
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final int MAX_DIMENSIONS = 4;
    private static final int MAX_NESTING = 4;
    private static final int LEAST_ENTRY_BYTES = 13; // length of a key, type, one byte
    private static final int LEAST_TENSOR_BYTES = 24; // length of a name, dimensions, type, offset

    private final Path file;
    private final GgufCursor cursor;

    GgufHeader(Path file, FileChannel channel) throws IOException {
        this.file = file;
        this.cursor = new GgufCursor(file, channel);
    }

    /** A tensor in the header, before the start of the data is known. */
    private record Entry(String name, GgmlType type, List<Long> shape, long bytes, long offset, long place) {
    }

    GgufFile read() throws IOException {
        throwIf(cursor.size() < 24 || cursor.int32() != MAGIC,
                () -> new ModelFormatException(file, "is not a GGUF file: it does not begin with the bytes GGUF and two counts"));
        int version = cursor.int32();
        throwIf(version != 2 && version != 3,
                () -> cursor.problem(4, "version = " + version + " is not supported: versions 2 and 3 in little-endian order are"));
        long tensorCount = cursor.count("number of tensors", LEAST_TENSOR_BYTES);
        long entryCount = cursor.count("number of metadata entries", LEAST_ENTRY_BYTES);
        GgufMetadata metadata = new GgufMetadata(file, readMetadata(entryCount));
        List<Entry> entries = new ArrayList<>();
        for (long i = 0; i < tensorCount; i++) {
            entries.add(readTensor());
        }
        return new GgufFile(file, metadata, placed(entries, alignment(metadata)));
    }

    private Map<String, Object> readMetadata(long count) throws IOException {
        Map<String, Object> values = new LinkedHashMap<>();
        for (long i = 0; i < count; i++) {
            long at = cursor.position();
            String key = cursor.text("a metadata key");
            throwIf(values.put(key, value(cursor.int32(), key, 0)) != null, () -> cursor.problem(at, "metadata key '" + key + "' occurs twice"));
        }
        return values;
    }

    private Object value(int type, String key, int depth) throws IOException {
        return switch (type) {
            case 0 -> cursor.int8() & 0xFFL;
            case 1 -> (long) cursor.int8();
            case 2 -> cursor.int16() & 0xFFFFL;
            case 3 -> (long) cursor.int16();
            case 4 -> cursor.int32() & 0xFFFFFFFFL;
            case 5 -> (long) cursor.int32();
            case 6 -> shortestDecimal(Float.intBitsToFloat(cursor.int32()));
            case 7 -> cursor.int8() != 0;
            case 8 -> cursor.text("'" + key + "'");
            case 9 -> list(key, depth + 1);
            case 10, 11 -> cursor.int64();
            case 12 -> Double.longBitsToDouble(cursor.int64());
            default -> throw cursor.problem(cursor.position() - 4, "metadata '" + key + "' has type " + type + ", the types are 0 to 12");
        };
    }

    private static double shortestDecimal(float value) {
        return Double.parseDouble(Float.toString(value));
    }

    private List<Object> list(String key, int depth) throws IOException {
        throwIf(depth > MAX_NESTING,
                () -> cursor.problem(cursor.position(), "metadata '" + key + "' nests lists more than " + MAX_NESTING + " deep"));
        int type = cursor.int32();
        long count = cursor.count("length of '" + key + "'", 1);
        List<Object> values = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            values.add(value(type, key, depth));
        }
        return Collections.unmodifiableList(values);
    }

    private Entry readTensor() throws IOException {
        long at = cursor.position();
        String name = cursor.text("a tensor's name");
        int dimensions = cursor.int32();
        throwIf(dimensions < 0 || dimensions > MAX_DIMENSIONS,
                () -> ModelFormatException.inTensor(file, name, at, "has " + dimensions + " dimensions, GGUF allows 0 to " + MAX_DIMENSIONS));
        List<Long> shape = new ArrayList<>();
        for (int i = 0; i < dimensions; i++) {
            shape.add(0, cursor.int64());
        }
        int code = cursor.int32();
        GgmlType type = GgmlType.ofCode(code).orElseThrow(() -> ModelFormatException.inTensor(file, name, at, "has type " + GgmlType.nameOf(code)
                + ", which is not read here: requantise the model to one of " + GgmlType.names()));
        return new Entry(name, type, shape, bytes(name, at, type, shape), cursor.int64(), at);
    }

    private long bytes(String name, long at, GgmlType type, List<Long> shape) {
        long innermost = shape.isEmpty() ? 1 : shape.get(shape.size() - 1);
        throwIf(shape.stream().anyMatch(length -> length < 0) || innermost % type.blockSize() != 0,
                () -> ModelFormatException.inTensor(file, name, at, "has shape " + shape + ": " + type + " has rows of whole blocks of " + type.blockSize()));
        try {
            return type.byteCount(shape.stream().reduce(1L, Math::multiplyExact));
        } catch (ArithmeticException e) {
            throw ModelFormatException.inTensor(file, name, at, "has shape " + shape + ", more than 2^63 bytes");
        }
    }

    private int alignment(GgufMetadata metadata) {
        int alignment = metadata.integer("general.alignment").orElse(DEFAULT_ALIGNMENT);
        throwIf(alignment < 1 || Integer.bitCount(alignment) != 1,
                () -> new ModelFormatException(file, "metadata 'general.alignment' = " + alignment + ": expected a power of 2"));
        return alignment;
    }

    private Map<String, GgufTensor> placed(List<Entry> entries, int alignment) {
        long data = (cursor.position() + alignment - 1) / alignment * alignment;
        long room = cursor.size() - data;
        Map<String, GgufTensor> tensors = new LinkedHashMap<>();
        for (Entry entry : entries) {
            throwIf(entry.offset < 0 || entry.offset % alignment != 0 || entry.bytes > room - entry.offset,
                    () -> ModelFormatException.inTensor(file, entry.name, entry.place, "has offset " + Long.toUnsignedString(entry.offset) + " and "
                            + entry.bytes + " bytes, but the data has " + Math.max(room, 0) + " and an alignment of " + alignment + ": was the file downloaded whole?"));
            GgufTensor tensor = new GgufTensor(entry.name, entry.type, entry.shape, file, data + entry.offset, entry.bytes);
            throwIf(tensors.put(entry.name, tensor) != null, () -> ModelFormatException.inTensor(file, entry.name, entry.place, "occurs twice"));
        }
        return tensors;
    }
}
