package io.github.bts4j.core.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.EnumSet;
import java.util.Set;

/** The types of JSON values; numbers are whole or not. */
enum JsonType {
    OBJECT, ARRAY, STRING, INTEGER, FRACTION, BOOLEAN, NULL;

    /** The types that a name means; empty for none that is known. */
    static Set<JsonType> named(String name) {
        return switch (name) {
            case "object" -> EnumSet.of(OBJECT);
            case "array" -> EnumSet.of(ARRAY);
            case "string" -> EnumSet.of(STRING);
            case "integer" -> EnumSet.of(INTEGER);
            case "number" -> EnumSet.of(INTEGER, FRACTION);
            case "boolean" -> EnumSet.of(BOOLEAN);
            case "null" -> EnumSet.of(NULL);
            default -> EnumSet.noneOf(JsonType.class);
        };
    }

    /** The types that a schema names; null if it names none. */
    static Set<JsonType> of(SchemaPlace place) {
        JsonNode type = place.schema().path("type");
        if (type.isMissingNode()) {
            return null;
        }
        Set<JsonType> types = EnumSet.noneOf(JsonType.class);
        for (JsonNode each : type.isArray() ? type : java.util.List.of(type)) {
            Set<JsonType> named = named(each.isTextual() ? each.textValue() : "");
            if (named.isEmpty()) {
                throw place.problem("type", "must be one of object, array, string, number, integer, boolean and null, or a list of them");
            }
            types.addAll(named);
        }
        return types;
    }

    static JsonType of(JsonNode value) {
        return switch (value.getNodeType()) {
            case OBJECT -> OBJECT;
            case ARRAY -> ARRAY;
            case STRING -> STRING;
            case BOOLEAN -> BOOLEAN;
            case NUMBER -> value.decimalValue().stripTrailingZeros().scale() <= 0 ? INTEGER : FRACTION;
            default -> NULL;
        };
    }
}
