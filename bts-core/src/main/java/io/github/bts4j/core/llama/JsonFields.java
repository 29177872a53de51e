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
 * The fields of one JSON object, read by type. A field of another type is noted as a problem and read as absent; JSON null is absent.
 * Remembers which fields nobody asked for. Not for concurrent use.
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

    /** Parses a file that must hold one JSON object and nothing else. */
    static JsonFields parse(Path file, Problems problems) throws IOException {
        return new JsonFields(JsonReader.STRICT.object(file, ModelFormatException::new), "", problems);
    }

    Problems problems() {
        return problems;
    }

    /** The name of a field as messages spell it, with the object it lies in. */
    String name(String key) {
        return "'" + prefix + key + "'";
    }

    /** Whether a field is written down, be it as null. */
    boolean mentions(ConfigKey key) {
        return object.has(key.json());
    }

    boolean has(ConfigKey key) {
        return object.hasNonNull(key.json());
    }

    /** A field whatever its type, marked as read. Empty where it is absent or null. */
    Optional<JsonNode> take(String key) {
        unread.remove(key);
        return Optional.ofNullable(object.get(key)).filter(node -> !node.isNull());
    }

    /** The fields that nobody asked for and that hold something. */
    List<String> unread() {
        return unread.stream().filter(object::hasNonNull).toList();
    }

    /** A field's value as messages show it. */
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

    /** A field that must be there; 0 where it is not, which is noted. */
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

    /** A number for which 0 means absent, as it does in Python's {@code value or default}. */
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
