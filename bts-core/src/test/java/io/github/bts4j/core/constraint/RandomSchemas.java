package io.github.bts4j.core.constraint;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Random;

/** Random schemas of the supported keywords, also nonsensical ones. */
public final class RandomSchemas {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final List<String> NAMES = List.of("a", "b", "name", "foo", "é", "with space", "q\"uote", "x\\y", "age", "日");
    private static final List<String> PATTERNS = List.of("^a+b?$", "[0-9]{2,4}", "^(foo|bar)-\\d+$", "^[^\"a]*$", "\\w+@\\w+", "^.{3}$", "é|日", "^[\\u0000-\\u001f\\\\\"]+$", "^$", "^a|b$", "(?:xy){2,}");
    private static final List<String> FORMATS = List.of("date", "time", "date-time", "uuid", "email", "ipv4", "ipv6", "hostname", "uri", "duration");

    private final Random random;

    /** The schemas of a seed. */
    public RandomSchemas(long seed) {
        random = new Random(seed);
    }

    /** The next schema. */
    public ObjectNode next() {
        ObjectNode root = chance(4) ? JSON.objectNode() : schema(3);
        if (root.isEmpty()) {
            ObjectNode definitions = root.putObject("$defs");
            definitions.set("node", object(2));
            ((ObjectNode) definitions.get("node")).withObject("/properties").putObject("next").put("$ref", random.nextBoolean() ? "#/$defs/node" : "#");
            root.withArray("anyOf").add(JSON.objectNode().put("$ref", "#/$defs/node")).add(schema(1));
        }
        return root;
    }

    private boolean chance(int in) {
        return random.nextInt(in) == 0;
    }

    private ObjectNode schema(int depth) {
        return switch (random.nextInt(depth > 0 ? 11 : 6)) {
            case 0, 1 -> string();
            case 2 -> number();
            case 3 -> listed();
            case 4 -> JSON.objectNode().put("type", chance(2) ? "boolean" : "null");
            case 5 -> nullable();
            case 6, 7, 8 -> object(depth);
            case 9 -> array(depth);
            default -> combined(depth);
        };
    }

    private ObjectNode nullable() {
        ObjectNode schema = JSON.objectNode();
        schema.putArray("type").add("integer").add("null");
        return schema;
    }

    private ObjectNode string() {
        ObjectNode schema = JSON.objectNode().put("type", "string");
        switch (random.nextInt(5)) {
            case 0 -> schema.put("pattern", PATTERNS.get(random.nextInt(PATTERNS.size())));
            case 1 -> schema.put("format", FORMATS.get(random.nextInt(FORMATS.size())));
            case 2 -> schema.put("minLength", random.nextInt(4)).put("maxLength", 2 + random.nextInt(5));
            case 3 -> schema.put("pattern", PATTERNS.get(random.nextInt(PATTERNS.size()))).put("maxLength", 1 + random.nextInt(9)).put("minLength", random.nextInt(4));
            default -> { }
        }
        return schema;
    }

    private ObjectNode number() {
        boolean integer = chance(2);
        ObjectNode schema = JSON.objectNode().put("type", integer ? "integer" : "number");
        if (chance(2)) {
            schema.put(chance(2) ? "minimum" : "exclusiveMinimum", random.nextInt(2000) - 1000);
        }
        if (chance(2)) {
            schema.put(chance(2) ? "maximum" : "exclusiveMaximum", chance(2) ? random.nextInt(200_000) / 100.0 : random.nextInt(50));
        }
        if (chance(4)) {
            schema.put("multipleOf", List.of(1.0, 7.0, 0.5, 2.5, 0.01, 13.0).get(random.nextInt(6)));
        }
        return schema;
    }

    private ObjectNode listed() {
        ObjectNode schema = JSON.objectNode();
        if (chance(3)) {
            schema.put("const", "a \"quoted\" wörd\n");
        } else {
            ArrayNode values = schema.putArray("enum");
            values.add("red").add("redder").add(5).add(-1.5).addNull().add(true).addObject().put("z", 1).put("a", 2);
            if (chance(3)) {
                schema.put("type", "string").put("minLength", 4);
            }
        }
        return schema;
    }

    private ObjectNode object(int depth) {
        ObjectNode schema = JSON.objectNode().put("type", "object");
        int count = random.nextInt(5);
        ArrayNode required = JSON.arrayNode();
        for (int i = 0; i < count; i++) {
            String name = NAMES.get(random.nextInt(NAMES.size()));
            schema.withObject("/properties").set(name, schema(depth - 1));
            if (chance(2)) {
                required.add(name);
            }
        }
        if (!required.isEmpty()) {
            schema.set("required", required);
        }
        switch (random.nextInt(4)) {
            case 0 -> schema.put("additionalProperties", false);
            case 1 -> schema.set("additionalProperties", schema(0));
            case 2 -> schema.put("additionalProperties", true);
            default -> { }
        }
        if (chance(4)) {
            schema.put("minProperties", random.nextInt(3));
        }
        if (chance(4)) {
            schema.put("maxProperties", 1 + random.nextInt(4));
        }
        return schema;
    }

    private ObjectNode array(int depth) {
        ObjectNode schema = JSON.objectNode().put("type", "array");
        if (chance(3)) {
            schema.putArray("prefixItems").add(schema(depth - 1)).add(schema(0));
        }
        if (!chance(4)) {
            schema.set("items", schema(depth - 1));
        }
        if (chance(2)) {
            schema.put("minItems", random.nextInt(4)).put("maxItems", 2 + random.nextInt(4));
        }
        return schema;
    }

    private ObjectNode combined(int depth) {
        ObjectNode schema = JSON.objectNode();
        ArrayNode parts = schema.putArray(List.of("anyOf", "oneOf", "allOf").get(random.nextInt(3)));
        for (int i = 0; i < 2; i++) {
            parts.add(schema(depth - 1));
        }
        return schema;
    }
}
