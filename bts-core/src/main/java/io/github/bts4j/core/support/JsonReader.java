package io.github.bts4j.core.support;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.CharConversionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reads JSON and reports errors in one line: damaged text, bytes that are not UTF-8, a second value, a key that is missing, unknown or of another
 * type. Thread-safe.
 */
public final class JsonReader {
    /** Refuses a key that is there twice, and what follows the value; records are bound strictly, and nothing is a default. */
    public static final JsonReader STRICT = new JsonReader(JsonMapper.builder().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).enable(
            DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES,
            DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES, DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES), 16L << 20);

    /** As Python's json and Hugging Face's tokenizers read it: of a key that is there twice, the last counts. Numbers keep all their digits. */
    public static final JsonReader LENIENT = new JsonReader(JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS), 128L << 20);

    private static final int SHOWN = 80;

    private final ObjectMapper mapper;
    private final long maxBytes;

    private JsonReader(JsonMapper.Builder mapper, long maxBytes) {
        this.mapper = mapper.build();
        this.mapper.getFactory().setStreamReadConstraints(StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build());
        this.maxBytes = maxBytes;
    }

    /** Makes the exception for a file. */
    @FunctionalInterface
    public interface Refusal {
        /**
         * Creates the exception for a file.
         *
         * @param file the file
         * @param message one line, without the file's name
         * @param cause the cause, or null
         * @return the exception to throw
         */
        RuntimeException of(Path file, String message, Throwable cause);
    }

    private interface Parse<T> {
        T run(byte[] content) throws IOException;
    }

    /**
     * Reads a file that holds one JSON object.
     *
     * @param file the file
     * @param refusal makes the exception
     * @return the object
     * @throws IOException if the file cannot be read
     */
    public ObjectNode object(Path file, Refusal refusal) throws IOException {
        return object(file, content(file, refusal), refusal);
    }

    /**
     * Reads a file that holds any JSON value.
     *
     * @param file the file
     * @param refusal makes the exception
     * @return the value
     * @throws IOException if the file cannot be read
     */
    public JsonNode value(Path file, Refusal refusal) throws IOException {
        return parsed(file, content(file, refusal), mapper::readTree, refusal);
    }

    /**
     * Reads bytes that are one JSON object.
     *
     * @param file the file, for messages
     * @param content the bytes
     * @param refusal makes the exception
     * @return the object
     */
    public ObjectNode object(Path file, byte[] content, Refusal refusal) {
        JsonNode root = parsed(file, content, mapper::readTree, refusal);
        if (!(root instanceof ObjectNode object)) {
            throw refusal.of(file, "expected a JSON object, found " + kind(root), null);
        }
        return object;
    }

    /**
     * Reads a file into a record.
     *
     * @param <T> the record
     * @param file the file
     * @param type the record's class
     * @param refusal makes the exception
     * @return the record
     * @throws IOException if the file cannot be read
     */
    public <T> T record(Path file, Class<T> type, Refusal refusal) throws IOException {
        T record = parsed(file, content(file, refusal), content -> mapper.readValue(content, type), refusal);
        throwIf(record == null, () -> refusal.of(file, "expected a JSON object, found null", null));
        return record;
    }

    /**
     * Reads a text of one line.
     *
     * @param json the text
     * @return its content; a missing node if it is blank
     * @throws IllegalArgumentException if it is not JSON; the message ends with the column
     */
    public JsonNode line(String json) {
        try {
            return mapper.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not valid JSON: " + JsonProblem.inLine(e), e);
        }
    }

    private byte[] content(Path file, Refusal refusal) throws IOException {
        throwIf(Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file), () -> refusal.of(file, "is a pipe or a device: a file is needed", null));
        long size = FileErrors.named(file, () -> Files.size(file));
        throwIf(size > maxBytes, () -> refusal.of(file, "is " + size + " bytes long, at most " + maxBytes + " are read: is it a weight file?", null));
        return FileErrors.named(file, () -> Files.readAllBytes(file));
    }

    private static <T> T parsed(Path file, byte[] content, Parse<T> parse, Refusal refusal) {
        try {
            return parse.run(content);
        } catch (JacksonException e) {
            throw refusal.of(file, problem(e), e);
        } catch (CharConversionException e) {
            throw refusal.of(file, "is not UTF-8 text: " + e.getMessage(), e);
        } catch (IOException e) {
            throw refusal.of(file, "cannot be read as JSON: " + e.getMessage(), e);
        } catch (OutOfMemoryError e) {
            throw refusal.of(file, "of " + content.length + " bytes needs more heap than the " + (Runtime.getRuntime().maxMemory() >> 20)
                    + " MiB there are: give the JVM more (-Xmx, BTS_HEAP for ./bts)", e);
        }
    }

    private static String problem(JacksonException e) {
        String message = String.valueOf(e.getOriginalMessage());
        if (e instanceof JsonMappingException && !message.startsWith("Trailing token")) {
            return JsonProblem.of(e);
        }
        String place = e.getLocation() == null ? "" : " at line " + e.getLocation().getLineNr() + ", column " + e.getLocation().getColumnNr();
        return message.startsWith("Invalid UTF-8") ? "is not UTF-8 text" + place + ": " + message
                : "is not valid JSON" + place + ": " + JsonProblem.withoutPlace(e) + ": was it written whole?";
    }

    /**
     * Writes a value as a person would read it.
     *
     * @param value a record, a map or a JSON tree
     * @return JSON in UTF-8, indented
     */
    public static byte[] pretty(Object value) {
        try {
            return STRICT.mapper.writerWithDefaultPrettyPrinter().writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(value.getClass().getName() + " has no JSON form: " + e.getMessage(), e);
        }
    }

    /**
     * A value as a JSON tree.
     *
     * @param value a record, a map or a list
     * @return the tree
     */
    public static JsonNode tree(Object value) {
        return STRICT.mapper.valueToTree(value);
    }

    /** {@return an empty object, to be filled} */
    public static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    /**
     * A value as messages show it.
     *
     * @param value any value
     * @return its JSON, shortened to 80 characters
     */
    public static String shown(JsonNode value) {
        String text = value.toString();
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "...";
    }

    /**
     * The type of a value as messages name it.
     *
     * @param value any value
     * @return such as {@code a list}
     */
    public static String kind(JsonNode value) {
        return switch (value.getNodeType()) {
            case ARRAY -> "a list";
            case OBJECT -> "an object";
            case STRING -> "a string";
            case BOOLEAN -> "a boolean";
            case NUMBER -> value.isIntegralNumber() ? "an integer" : "a number with a fraction";
            case NULL -> "null";
            default -> "nothing";
        };
    }
}
