package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.github.bts4j.core.constraint.Constraint;
import io.github.bts4j.core.constraint.ConstraintCache;
import java.util.function.Supplier;

/** Reads {@code response_format}. The constraints of the latest schemas are kept, with what they know about the vocabulary. */
final class ResponseFormats {
    private static final int MOST_KEPT = 16;
    private static final int MOST_TEXT = 1 << 20;

    private static final ConstraintCache KEPT = new ConstraintCache(MOST_KEPT);
    private static final JsonNode ANY_OBJECT = JsonNodeFactory.instance.objectNode().put("type", "object");

    private ResponseFormats() {}

    /** The schema that a response must fit; missing for any text. */
    static JsonNode read(Fields fields) {
        JsonNode node = fields.get("response_format");
        if (node.isMissingNode()) {
            return node;
        }
        Fields format = new Fields(node, "response_format.");
        String type = format.text("type").orElse("");
        JsonNode schema = format.get("json_schema");
        format.end();
        return switch (type) {
            case "text" -> MissingNode.getInstance();
            case "json_object" -> ANY_OBJECT;
            case "json_schema" -> schema(new Fields(schema, "response_format.json_schema."));
            default -> throw format.wrong("type", format.get("type"), "text, json_object or json_schema");
        };
    }

    private static JsonNode schema(Fields format) {
        String name = format.text("name").orElse("");
        if (!name.matches("[A-Za-z0-9_-]{1,64}")) {
            throw format.wrong("name", format.get("name"), "1 to 64 letters, digits, _ and -");
        }
        format.text("description");
        format.flag("strict"); // a schema is always kept to
        JsonNode schema = format.get("schema");
        format.end();
        return schema.isMissingNode() ? ANY_OBJECT : schema;
    }

    /** The constraint of {@code response_format}. */
    static Constraint constraint(Fields fields) {
        JsonNode schema = read(fields);
        return schema.isMissingNode() ? Constraint.NONE : kept("response_format", schema.toString(), () -> Constraint.jsonSchema(schema));
    }

    /** A constraint, compiled unless it is known; a refused schema is the client's mistake in a field. */
    static Constraint kept(String field, String key, Supplier<Constraint> compile) {
        if (key.length() > MOST_TEXT) {
            throw ApiException.field(field, field + ": the schema has " + key.length() + " characters, at most " + MOST_TEXT + " are allowed");
        }
        try {
            return KEPT.get(key, compile);
        } catch (IllegalArgumentException e) {
            throw ApiException.field(field, field + ": " + e.getMessage());
        }
    }
}
