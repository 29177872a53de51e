package io.github.bts4j.core.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.math.BigDecimal;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The keywords of JSON Schema 2020-12: which are supported, which only describe, and the checks of their values. */
final class Keywords {
    static final Map<String, String> TYPE_OF = Map.ofEntries(Map.entry("properties", "object"), Map.entry("required", "object"), Map.entry("additionalProperties", "object"),
            Map.entry("minProperties", "object"), Map.entry("maxProperties", "object"), Map.entry("items", "array"), Map.entry("prefixItems", "array"),
            Map.entry("minItems", "array"), Map.entry("maxItems", "array"), Map.entry("minLength", "string"), Map.entry("maxLength", "string"), Map.entry("pattern", "string"),
            Map.entry("format", "string"), Map.entry("minimum", "number"), Map.entry("maximum", "number"), Map.entry("exclusiveMinimum", "number"),
            Map.entry("exclusiveMaximum", "number"), Map.entry("multipleOf", "number"));

    private static final Set<String> GENERAL = Set.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "$defs", "definitions");

    private static final Set<String> DESCRIBING = Set.of("title", "description", "default", "examples", "$comment", "$schema", "readOnly", "writeOnly", "deprecated",
            "contentEncoding", "contentMediaType", "contentSchema");

    private static final Map<String, JsonNode> WITHOUT_EFFECT = Map.of("uniqueItems", JsonNodeFactory.instance.booleanNode(false), "nullable", JsonNodeFactory.instance.booleanNode(false));

    private Keywords() {}

    /** Refuses what is not supported in a schema. */
    static void check(SchemaPlace place) {
        JsonNode schema = place.schema();
        if (!schema.isObject() && !schema.isBoolean()) {
            throw new IllegalArgumentException("schema: " + place.pointer() + " must be an object or a boolean");
        }
        for (String keyword : new TreeSet<>(names(schema))) {
            boolean known = GENERAL.contains(keyword) || DESCRIBING.contains(keyword) || TYPE_OF.containsKey(keyword) || schema.get(keyword).equals(WITHOUT_EFFECT.get(keyword))
                    || keyword.equals("$id") && place.pointer().equals("#");
            if (!known) {
                throw place.problem(keyword, keyword.equals("nullable") ? "is not supported: write \"type\": [\"..\", \"null\"]" : "is not supported");
            }
        }
        if (schema.has("$schema") && !schema.path("$schema").asText().matches("https?://json-schema.org/(draft/2020-12|draft/2019-09|draft-0[4-7])/schema#?")) {
            throw place.problem("$schema", "is not supported: write https://json-schema.org/draft/2020-12/schema");
        }
        for (String keyword : Set.of("anyOf", "oneOf", "allOf", "enum", "prefixItems")) {
            if (schema.has(keyword) && (!schema.get(keyword).isArray() || schema.get(keyword).isEmpty())) {
                throw place.problem(keyword, "must be a list that is not empty");
            }
        }
        if (schema.path("items").isArray()) {
            throw place.problem("items", "must be one schema: write prefixItems for those of single items");
        }
        if (schema.has("properties") && !schema.get("properties").isObject()) {
            throw place.problem("properties", "must be an object");
        }
        JsonNode required = schema.path("required");
        if (!required.isMissingNode() && (!required.isArray() || !allTexts(required))) {
            throw place.problem("required", "must be a list of names");
        }
    }

    static Set<String> names(JsonNode object) {
        Set<String> names = new java.util.LinkedHashSet<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static boolean allTexts(JsonNode list) {
        for (JsonNode each : list) {
            if (!each.isTextual()) {
                return false;
            }
        }
        return true;
    }

    /** A count, or the default where the keyword is missing. */
    static long count(SchemaPlace place, String keyword, long without) {
        JsonNode value = place.schema().path(keyword);
        if (value.isMissingNode()) {
            return without;
        }
        if (!value.isNumber() || value.doubleValue() < 0 || value.doubleValue() != Math.rint(value.doubleValue())) {
            throw place.problem(keyword, "must be a whole number of 0 or more");
        }
        return value.doubleValue() > Integer.MAX_VALUE - 1 ? Integer.MAX_VALUE - 1 : value.longValue();
    }

    /** A number; null where the keyword is missing. */
    static BigDecimal number(SchemaPlace place, String keyword) {
        JsonNode value = place.schema().path(keyword);
        if (value.isMissingNode()) {
            return null;
        }
        if (!value.isNumber() || value.isFloatingPointNumber() && !Double.isFinite(value.doubleValue()) || Math.abs(value.doubleValue()) > 0 && (Math.abs(value.doubleValue()) > 1e30
                || Math.abs(value.doubleValue()) < 1e-30)) {
            throw place.problem(keyword, "must be a number, not larger than 1e30");
        }
        return value.decimalValue();
    }

    static String text(SchemaPlace place, String keyword) {
        if (!place.schema().get(keyword).isTextual()) {
            throw place.problem(keyword, "must be a string");
        }
        return place.schema().get(keyword).textValue();
    }
}
