package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.core.JsonToken;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.support.Quoted;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the JSON header of a safetensors file and checks each tensor separately; {@link SafetensorsHeader} checks how they are laid out
 * together. Not thread-safe.
 */
final class HeaderParser {

    static final String METADATA = "__metadata__";
    static final int MAX_DIMENSIONS = 64;

    private final Path file;
    private final JsonCursor cursor;
    private final long dataStart;
    private final long dataLength;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final List<TensorEntry> entries = new ArrayList<>();

    /**
     * Takes the header; {@link #parse()} reads it.
     *
     * @param file the file, for messages and entries
     * @param json the header's bytes, which follow the eight bytes of its length
     * @param dataLength how many bytes follow the header
     */
    HeaderParser(Path file, byte[] json, long dataLength) {
        this.file = file;
        this.cursor = new JsonCursor(file, json, SafetensorsHeader.LENGTH_BYTES);
        this.dataStart = SafetensorsHeader.LENGTH_BYTES + (long) json.length;
        this.dataLength = dataLength;
    }

    /** The metadata, empty when there is none, and the tensors in the order of the header. */
    SafetensorsHeader parse() {
        cursor.expect(JsonToken.START_OBJECT, "the header");
        while (cursor.nextKey()) {
            String key = cursor.text();
            if (key.equals(METADATA)) {
                readMetadata();
            } else {
                cursor.enter(key);
                entries.add(readTensor(key));
                cursor.leave();
            }
        }
        cursor.expectEnd();
        return new SafetensorsHeader(metadata, entries);
    }

    private void readMetadata() {
        cursor.expect(JsonToken.START_OBJECT, METADATA);
        while (cursor.nextKey()) {
            String key = cursor.text();
            metadata.put(key, cursor.nextString(METADATA + " " + Quoted.of(key)));
        }
    }

    private TensorEntry readTensor(String name) {
        long position = cursor.position();
        String dtype = null;
        List<Long> shape = null;
        List<Long> range = null;
        cursor.expect(JsonToken.START_OBJECT, "its entry");
        while (cursor.nextKey()) {
            String key = cursor.text();
            switch (key) {
                case "dtype" -> dtype = cursor.nextString("dtype");
                case "shape" -> shape = readSizes("shape", MAX_DIMENSIONS);
                case "data_offsets" -> range = readSizes("data_offsets", 2);
                default -> throw cursor.fail("unknown key " + Quoted.of(key)
                        + "; an entry has dtype, shape and data_offsets");
            }
        }
        if (dtype == null || shape == null || range == null) {
            String missing = dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets";
            throw cursor.failAt(
                    position, "the key '" + missing + "' is missing; an entry has dtype, shape and data_offsets");
        }
        if (range.size() != 2) {
            throw cursor.failAt(position, "data_offsets = " + range + " must be two numbers, begin and end");
        }
        return checked(name, position, typeOf(dtype, position), shape, range);
    }

    private List<Long> readSizes(String what, int limit) {
        cursor.expect(JsonToken.START_ARRAY, what);
        List<Long> sizes = new ArrayList<>();
        while (cursor.next() != JsonToken.END_ARRAY) {
            throwIf(sizes.size() == limit, () -> cursor.fail(what + " has more than " + limit + " numbers"));
            sizes.add(cursor.size(what + "[" + sizes.size() + "]"));
        }
        return sizes;
    }

    private ElementType typeOf(String dtype, long position) {
        return ElementType.named(dtype).orElseThrow(() -> cursor.failAt(position, "dtype "
                + Quoted.of(dtype) + " is not supported; known are " + ElementType.fileNames()
                + ": convert the checkpoint to one of them"));
    }

    private TensorEntry checked(String name, long position, ElementType type, List<Long> shape, List<Long> range) {
        long begin = range.get(0);
        long end = range.get(1);
        throwIf(begin > end, () -> cursor.failAt(position, "data_offsets = " + range + " are reversed"));
        throwIf(end > dataLength, () -> cursor.failAt(position, "data_offsets = " + range + " reach beyond the " + dataLength
                + " bytes of data; is the file cut short? Download it again"));
        long size = byteCount(position, type, shape);
        throwIf(size != end - begin,
                () -> cursor.failAt(position, "data_offsets = " + range + " span " + (end - begin) + " bytes, but " + type.fileName()
                        + " " + shape + " takes " + size));
        return new TensorEntry(name, type, shape, file, dataStart + begin, size);
    }

    private long byteCount(long position, ElementType type, List<Long> shape) {
        try {
            return type.byteCount(shape);
        } catch (ArithmeticException e) {
            throw cursor.failAt(
                    position, "shape = " + shape + " of " + type.fileName() + " takes more than " + Long.MAX_VALUE + " bytes");
        }
    }
}
