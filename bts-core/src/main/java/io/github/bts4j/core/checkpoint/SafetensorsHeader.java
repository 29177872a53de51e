package io.github.bts4j.core.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Parses and checks the JSON of a safetensors header. For one use. */
final class SafetensorsHeader {
    private static final String METADATA = "__metadata__";
    private static final ObjectReader JSON = new ObjectMapper(JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(16).maxStringLength(100_000_000).build())
            .build()).reader().with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final Path path;
    private final long dataStart;
    private final long fileSize;
    private final Map<String, TensorEntry> entries = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    SafetensorsHeader(Path path, long dataStart, long fileSize) {
        this.path = path;
        this.dataStart = dataStart;
        this.fileSize = fileSize;
    }

    Map<String, TensorEntry> entries() {
        return entries;
    }

    Map<String, String> metadata() {
        return metadata;
    }

    void parse(byte[] bytes) {
        JsonNode root = tree(bytes);
        if (!root.isObject()) {
            throw bad("", "the header is no JSON object");
        }
        List<TensorEntry> found = new ArrayList<>();
        root.fields().forEachRemaining(field -> {
            if (field.getKey().equals(METADATA)) {
                readMetadata(field.getValue());
            } else {
                found.add(entry(field.getKey(), field.getValue()));
            }
        });
        found.sort(Comparator.comparingLong(TensorEntry::offset).thenComparingLong(TensorEntry::length));
        checkCoverage(found);
        found.forEach(entry -> entries.put(entry.name(), entry));
    }

    private JsonNode tree(byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return JSON.readTree(text);
        } catch (CharacterCodingException e) {
            throw caused("the header is not UTF-8", e);
        } catch (IOException e) {
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw caused("the header is no valid JSON, or holds a name twice (" + reason + ")", e);
        }
    }

    private ModelFormatException caused(String message, Exception cause) {
        ModelFormatException exception = new ModelFormatException(path, "", Long.BYTES, message);
        exception.initCause(cause);
        return exception;
    }

    private void readMetadata(JsonNode node) {
        if (!node.isObject()) {
            throw bad("", METADATA + " is no JSON object");
        }
        node.fields().forEachRemaining(field -> {
            if (!field.getValue().isTextual()) {
                throw bad("", METADATA + "." + field.getKey() + " is no string");
            }
            metadata.put(field.getKey(), field.getValue().textValue());
        });
    }

    private TensorEntry entry(String name, JsonNode node) {
        if (!node.isObject() || node.size() != 3) {
            throw bad(name, "an entry holds exactly dtype, shape and data_offsets");
        }
        JsonNode dtype = field(name, node, "dtype");
        TensorType type = TensorType.named(dtype.asText()).orElseThrow(
                () -> bad(name, "dtype = " + dtype + " is none of " + List.of(TensorType.values())));
        List<Long> shape = integers(name, field(name, node, "shape"), "shape");
        List<Long> offsets = integers(name, field(name, node, "data_offsets"), "data_offsets");
        if (offsets.size() != 2 || offsets.get(0) > offsets.get(1) || offsets.get(1) > fileSize - dataStart) {
            throw bad(name, "data_offsets = " + offsets + " do not lie in order within the " + (fileSize - dataStart)
                    + " bytes of data: was the file truncated?");
        }
        long length = offsets.get(1) - offsets.get(0);
        long needed = bytes(name, shape, type);
        if (needed != length) {
            throw bad(name, "shape " + shape + " of " + type + " takes " + needed + " bytes, data_offsets " + offsets + " span " + length);
        }
        return new TensorEntry(name, type, shape, path, dataStart + offsets.get(0), length);
    }

    private JsonNode field(String name, JsonNode node, String key) {
        JsonNode value = node.get(key);
        if (value == null) {
            throw bad(name, key + " is missing");
        }
        return value;
    }

    private List<Long> integers(String name, JsonNode node, String key) {
        if (!node.isArray()) {
            throw bad(name, key + " is no array");
        }
        List<Long> values = new ArrayList<>();
        for (JsonNode value : node) {
            if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
                throw bad(name, key + " holds " + abbreviated(value) + ": non-negative integers below 2^63 are needed");
            }
            values.add(value.longValue());
        }
        return values;
    }

    private static String abbreviated(JsonNode value) {
        String text = value.toString();
        return text.length() > 60 ? text.substring(0, 60) + ".." : text;
    }

    private long bytes(String name, List<Long> shape, TensorType type) {
        try {
            long size = type.bytes();
            for (long dimension : shape) {
                size = Math.multiplyExact(size, dimension);
            }
            return size;
        } catch (ArithmeticException e) {
            throw bad(name, "shape " + shape + " of " + type + " is beyond 2^63 bytes");
        }
    }

    /** Tensors cover the data without overlap and without holes, as the format demands. */
    private void checkCoverage(List<TensorEntry> sorted) {
        long end = dataStart;
        for (TensorEntry entry : sorted) {
            if (entry.offset() != end) {
                throw new ModelFormatException(path, entry.name(), entry.offset(), entry.offset() < end
                        ? "its bytes overlap those of another tensor" : "a hole of " + (entry.offset() - end) + " bytes lies before it");
            }
            end = entry.offset() + entry.length();
        }
        if (end != fileSize) {
            throw new ModelFormatException(path, "", end, (fileSize - end) + " bytes follow the last tensor");
        }
    }

    private ModelFormatException bad(String tensor, String message) {
        return new ModelFormatException(path, tensor, -1, message);
    }
}
