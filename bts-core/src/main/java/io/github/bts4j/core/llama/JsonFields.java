package io.github.bts4j.core.llama;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.support.Problems;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The fields of one JSON object, read by type. A field of another type is recorded as a problem and treated as absent; JSON null is absent.
 * Keeps track of unread fields. Not thread-safe.
 */
final class JsonFields {
    private final JsonNode object;
    private final String prefix;
    private final Problems problems;
    private final Set<String> unread = new LinkedHashSet<>();

    private JsonFields(JsonNode object, String prefix, Problems problems) {
        this.object = object;
        this.prefix = prefix;
        this.problems = problems;
        object.fieldNames().forEachRemaining(unread::add);
    }

    /** Parses a file that must contain exactly one JSON object. */
    static JsonFields parse(Path file, Problems problems) throws IOException {
        return new JsonFields(JsonReader.STRICT.object(file, ModelFormatException::new), "", problems);
    }

    Problems problems() {
        return problems;
    }

    /** The name of a field for messages, with its enclosing object. */
    String name(String key) {
        return "'" + prefix + key + "'";
    }

    /** Whether a field is present, possibly as null. */
    boolean mentions(ConfigKey key) {
        return object.has(key.json());
    }

    boolean has(ConfigKey key) {
        return object.hasNonNull(key.json());
    }

    /** A field of any type, marked as read. Empty if it is absent or null. */
    Optional<JsonNode> take(String key) {
        unread.remove(key);
        return Optional.ofNullable(object.get(key)).filter(node -> !node.isNull());
    }

    /** Unread fields that have a value. */
    List<String> unread() {
        return unread.stream().filter(object::hasNonNull).toList();
    }

    /** A field's value for messages. */
    String shown(String key) {
        return JsonReader.shown(object.path(key));
    }

    OptionalInt integer(ConfigKey key) {
        Optional<JsonNode> value = take(key.json());
        if (value.isEmpty()) {
            return OptionalInt.empty();
        }
        return asInt(key, value.get(), "an integer of 32 bits");
    }

    /** A required field; if it is missing, 0 and a recorded problem. */
    int required(ConfigKey key) {
        problems.addIf(!has(key), name(key.json()) + " is missing: expected an integer of 32 bits");
        return integer(key).orElse(0);
    }

    OptionalDouble number(ConfigKey key) {
        Optional<JsonNode> value = take(key.json());
        if (value.isPresent() && !value.get().isNumber()) {
            mismatch(key, value.get(), "a number");
            return OptionalDouble.empty();
        }
        return value.isPresent() ? OptionalDouble.of(value.get().doubleValue()) : OptionalDouble.empty();
    }

    /** A number for which 0 means absent, as in Python's {@code value or default}. */
    OptionalDouble nonZero(ConfigKey key) {
        OptionalDouble value = number(key);
        return value.isPresent() && value.getAsDouble() == 0 ? OptionalDouble.empty() : value;
    }

    Optional<Boolean> flag(ConfigKey key) {
        Optional<JsonNode> value = take(key.json());
        if (value.isPresent() && !value.get().isBoolean()) {
            mismatch(key, value.get(), "true or false");
            return Optional.empty();
        }
        return value.map(JsonNode::booleanValue);
    }

    Optional<String> text(ConfigKey key) {
        Optional<JsonNode> value = take(key.json());
        if (value.isPresent() && !value.get().isTextual()) {
            mismatch(key, value.get(), "a string");
            return Optional.empty();
        }
        return value.map(JsonNode::textValue);
    }

    /** A string or a list of strings. */
    List<String> texts(ConfigKey key) {
        List<String> result = new ArrayList<>();
        for (JsonNode item : items(key)) {
            if (item.isTextual()) {
                result.add(item.textValue());
            } else {
                mismatch(key, item, "a list of strings");
            }
        }
        return result;
    }

    /** An integer or a list of integers. */
    List<Integer> integers(ConfigKey key) {
        List<Integer> result = new ArrayList<>();
        for (JsonNode item : items(key)) {
            asInt(key, item, "an integer or a list of integers").ifPresent(result::add);
        }
        return result;
    }

    /** A list of numbers. */
    List<Double> numbers(ConfigKey key) {
        List<Double> result = new ArrayList<>();
        for (JsonNode item : items(key)) {
            if (item.isNumber()) {
                result.add(item.doubleValue());
            } else {
                mismatch(key, item, "a list of numbers");
            }
        }
        return result;
    }

    private List<JsonNode> items(ConfigKey key) {
        Optional<JsonNode> value = take(key.json());
        if (value.isEmpty()) {
            return List.of();
        }
        JsonNode node = value.get();
        return node.isArray() ? IntStream.range(0, node.size()).mapToObj(node::get).toList() : List.of(node);
    }

    Optional<JsonFields> fields(ConfigKey key) {
        Optional<JsonNode> value = take(key.json());
        if (value.isPresent() && !value.get().isObject()) {
            mismatch(key, value.get(), "an object");
            return Optional.empty();
        }
        return value.map(node -> new JsonFields(node, prefix + key.json() + ".", problems));
    }

    private OptionalInt asInt(ConfigKey key, JsonNode value, String expected) {
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            mismatch(key, value, expected);
            return OptionalInt.empty();
        }
        return OptionalInt.of(value.intValue());
    }

    private void mismatch(ConfigKey key, JsonNode value, String expected) {
        problems.add(name(key.json()) + " = " + JsonReader.shown(value) + ": expected " + expected + ", found " + JsonReader.kind(value));
    }
}
