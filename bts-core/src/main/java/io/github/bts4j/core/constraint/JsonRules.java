package io.github.bts4j.core.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** Rules of values that no schema bounds. */
final class JsonRules {
    private final Node booleans = Literals.of("true", "false");
    private final Node nulls = Literals.of("null");
    private final Node strings = StringRule.ofLength(0, Long.MAX_VALUE);
    private final Node integers = new PlainNumber(true);
    private final Node fractions = new PlainNumber(false);

    Node booleans() {
        return booleans;
    }

    Node nulls() {
        return nulls;
    }

    Node strings() {
        return strings;
    }

    Node numbers(boolean integer) {
        return integer ? integers : fractions;
    }

    /** Refuses values that no JSON text can hold. */
    static void requireValid(List<SchemaPlace> places, JsonNode value) {
        boolean infinite = value.isFloatingPointNumber() && !Double.isFinite(value.doubleValue());
        if (infinite || value.isTextual() && halved(value.textValue())) {
            throw places.get(0).problem("enum", "or a name at this place has a number that is too large or half a surrogate pair");
        }
        value.forEach(each -> requireValid(places, each));
        if (value.isObject() && Keywords.names(value).stream().anyMatch(JsonRules::halved)) {
            throw places.get(0).problem("enum", "has a name with half a surrogate pair");
        }
    }

    private static boolean halved(String text) {
        return text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }
}
