package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Sequence.PyList;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Java's maps, lists, texts, numbers and booleans as a template sees them; and how much there is of them. */
final class PlainValues {
    private static final int MAX_DEPTH = 100;
    private static final int CHARACTERS_PER_VALUE = 8;

    private final Budget budget = new Budget(Integer.MAX_VALUE);
    private long characters;

    /** The size of all values so far. */
    long characters() {
        return characters;
    }

    Map<String, Object> convert(Map<String, ?> variables) {
        Map<String, Object> converted = new HashMap<>();
        variables.forEach((name, value) -> converted.put(name, convert(value, 0)));
        return converted;
    }

    private Object convert(Object value, int depth) {
        throwIf(depth > MAX_DEPTH,
                () -> new IllegalArgumentException("A value for the chat template is nested deeper than " + MAX_DEPTH + " levels: does it contain itself?"));
        characters += CHARACTERS_PER_VALUE;
        if (value == null || value instanceof Boolean || value instanceof Double || value instanceof BigInteger) {
            return value;
        }
        if (value instanceof CharSequence text) {
            characters += text.length();
            return text.toString();
        }
        if (value instanceof Number number) {
            return number(number);
        }
        if (value instanceof Iterable<?> items) {
            List<Object> list = new ArrayList<>();
            items.forEach(item -> list.add(convert(item, depth + 1)));
            return new PyList(list);
        }
        if (value instanceof Map<?, ?> map) {
            PyDict dict = new PyDict();
            map.forEach((key, item) -> dict.put(budget, convert(key, depth + 1), convert(item, depth + 1)));
            return dict;
        }
        throw new IllegalArgumentException("A value for the chat template is of " + value.getClass().getName()
                + ": only maps, lists, texts, numbers, booleans and null reach a template");
    }

    private static Object number(Number number) {
        if (number instanceof Float || number instanceof BigDecimal) {
            return number.doubleValue();
        }
        return BigInteger.valueOf(number.longValue());
    }
}
