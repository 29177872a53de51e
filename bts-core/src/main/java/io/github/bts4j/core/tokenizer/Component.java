package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/** One component of a tokenizer.json, {@code {"type": .., ..}}, and its position in the file; the accessors refuse values that are missing or of another type. */
record Component(Path file, String place, JsonNode node) {

    private static final int MAX_SHOWN = 80;

    Component {
        throwIf(!node.isObject(), () -> new ModelFormatException(file, "'" + place + "' is " + shown(node) + ", expected an object"));
    }

    String type() {
        return text("type");
    }

    /** Refuses every key but these. */
    void allow(String... keys) {
        Set<String> known = Set.of(keys);
        for (Iterator<String> names = node.fieldNames(); names.hasNext();) {
            String name = names.next();
            throwIf(!known.contains(name), () -> problem("has the unknown key '" + shown(name) + "', known are " + List.of(keys)
                    + ": such a file needs a newer version of this library"));
        }
    }

    String text(String key) {
        return require(key, node.path(key).isTextual(), "a text").asText();
    }

    String shortText(String key, int limit) {
        String value = text(key);
        throwIf(value.length() > limit, () -> problem("has '" + key + "' of " + value.length() + " characters, at most " + limit + " are taken"));
        return value;
    }

    /** A text of exactly one character. */
    String character(String key) {
        String value = text(key);
        throwIf(value.codePointCount(0, value.length()) != 1, () -> problem("has '" + key + "' = '" + shown(value) + "', expected one character"));
        return value;
    }

    boolean flag(String key) {
        return require(key, node.path(key).isBoolean(), "true or false").asBoolean();
    }

    void flags(String... keys) {
        List.of(keys).forEach(this::flag);
    }

    void optionalFlags(String... keys) {
        for (String key : keys) {
            JsonNode value = node.path(key);
            require(key, value.isMissingNode() || value.isNull() || value.isBoolean(), "true or false");
        }
    }

    /** A flag that may be left out, but not be null. */
    void defaultFlag(String key) {
        require(key, !node.has(key) || node.path(key).isBoolean(), "true or false");
    }

    void optionalText(String key, int limit) {
        JsonNode value = node.path(key);
        require(key, value.isMissingNode() || value.isNull() || value.isTextual() && value.asText().length() <= limit,
                "a text of at most " + limit + " characters or null");
    }

    int integer(String key, int limit) {
        return require(key, isInteger(node.path(key), limit), "an integer from 0 to " + limit).asInt();
    }

    String choice(String key, String... values) {
        String value = text(key);
        throwIf(!List.of(values).contains(value), () -> problem("has '" + key + "' = '" + shown(value) + "', known are " + List.of(values)));
        return value;
    }

    /** The components inside, at most 16. */
    List<Component> inner(String key) {
        JsonNode array = require(key, node.path(key).isArray(), "an array");
        throwIf(array.size() > 16, () -> problem("has " + array.size() + " parts, at most 16 are taken"));
        return java.util.stream.IntStream.range(0, array.size()).mapToObj(i -> new Component(file, place + "." + key + "[" + i + "]", array.get(i))).toList();
    }

    /** {@code {"String": ..}} or {@code {"Regex": ..}}: the only key's value, checked. */
    RegexCheck.Cost pattern() {
        JsonNode pattern = node.path("pattern");
        boolean literal = pattern.path("String").isTextual();
        throwIf(!pattern.isObject() || pattern.size() != 1 || !literal && !pattern.path("Regex").isTextual(),
                () -> problem("has 'pattern' = " + shown(pattern) + ", expected {\"String\": text} or {\"Regex\": expression}"));
        if (literal) {
            String text = pattern.path("String").asText();
            throwIf(text.length() > 1024, () -> problem("has a pattern of " + text.length() + " characters, at most 1024 are taken"));
            return new RegexCheck.Cost(0, 1, text.isEmpty());
        }
        String expression = pattern.path("Regex").asText();
        try {
            return RegexCheck.cost(expression);
        } catch (IllegalArgumentException e) {
            throw problem("has an expression that cannot be run safely: '" + shown(expression) + "' " + e.getMessage());
        }
    }

    JsonNode require(String key, boolean holds, String expected) {
        JsonNode value = node.path(key);
        throwIf(!holds, () -> problem("has '" + key + "' = " + shown(value) + ", expected " + expected));
        return value;
    }

    ModelFormatException problem(String what) {
        JsonNode type = node.path("type");
        return new ModelFormatException(file, "'" + place + "'" + (type.isTextual() ? " (" + shown(type.asText()) + ") " : " ") + what);
    }

    static boolean isInteger(JsonNode value, int limit) {
        return value.isIntegralNumber() && value.canConvertToInt() && value.asInt() >= 0 && value.asInt() <= limit;
    }

    static String shown(JsonNode value) {
        return value.isMissingNode() ? "missing" : value.isContainerNode() && value.size() > 16 ? (value.isArray() ? "an array of " : "an object of ") + value.size() + " entries" : shown(value.toString());
    }

    static String shown(String text) {
        StringBuilder shown = new StringBuilder();
        text.chars().limit(MAX_SHOWN).forEach(c -> shown.append(Character.isISOControl(c) || Character.isSurrogate((char) c) ? '\uFFFD' : (char) c));
        return text.length() > MAX_SHOWN ? shown.append("..").toString() : shown.toString();
    }
}
