package io.github.bts4j.langchain4j;

import com.fasterxml.jackson.databind.JsonNode;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.json.JsonAnyOfSchema;
import dev.langchain4j.model.chat.request.json.JsonArraySchema;
import dev.langchain4j.model.chat.request.json.JsonBooleanSchema;
import dev.langchain4j.model.chat.request.json.JsonEnumSchema;
import dev.langchain4j.model.chat.request.json.JsonIntegerSchema;
import dev.langchain4j.model.chat.request.json.JsonNullSchema;
import dev.langchain4j.model.chat.request.json.JsonNumberSchema;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.langchain4j.model.chat.request.json.JsonReferenceSchema;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
import dev.langchain4j.model.chat.request.json.JsonStringSchema;
import io.github.bts4j.core.support.JsonReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** LangChain4j's schemas as JSON schemas, and JSON as plain values. */
final class Schemas {
    private Schemas() {}

    static Map<String, Object> map(JsonSchemaElement element) {
        Map<String, Object> schema = new LinkedHashMap<>();
        if (element instanceof JsonObjectSchema object) {
            object(object, schema);
        } else if (element instanceof JsonArraySchema array) {
            schema.put("type", "array");
            if (array.items() != null) {
                schema.put("items", map(array.items()));
            }
        } else if (element instanceof JsonEnumSchema values) {
            schema.put("type", "string");
            schema.put("enum", values.enumValues());
        } else if (element instanceof JsonAnyOfSchema any) {
            schema.put("anyOf", any.anyOf().stream().map(Schemas::map).toList());
        } else if (element instanceof JsonReferenceSchema reference) {
            schema.put("$ref", "#/$defs/" + reference.reference());
        } else if (element instanceof JsonRawSchema raw) {
            return values(json(raw.schema()));
        } else {
            schema.put("type", type(element));
        }
        if (element.description() != null) {
            schema.put("description", element.description());
        }
        return schema;
    }

    private static String type(JsonSchemaElement element) {
        if (element instanceof JsonStringSchema) {
            return "string";
        } else if (element instanceof JsonIntegerSchema) {
            return "integer";
        } else if (element instanceof JsonNumberSchema) {
            return "number";
        } else if (element instanceof JsonBooleanSchema) {
            return "boolean";
        } else if (element instanceof JsonNullSchema) {
            return "null";
        }
        throw new UnsupportedFeatureException("Schemas of " + element.getClass().getSimpleName() + " are not supported by this model");
    }

    private static void object(JsonObjectSchema object, Map<String, Object> schema) {
        schema.put("type", "object");
        Map<String, Object> properties = new LinkedHashMap<>();
        object.properties().forEach((name, property) -> properties.put(name, map(property)));
        schema.put("properties", properties);
        if (object.required() != null && !object.required().isEmpty()) {
            schema.put("required", object.required());
        }
        if (object.additionalProperties() != null) {
            schema.put("additionalProperties", object.additionalProperties());
        }
        if (object.definitions() != null && !object.definitions().isEmpty()) {
            Map<String, Object> definitions = new LinkedHashMap<>();
            object.definitions().forEach((name, definition) -> definitions.put(name, map(definition)));
            schema.put("$defs", definitions);
        }
    }

    /** A JSON text. */
    static JsonNode json(String text) {
        return JsonReader.LENIENT.line(text);
    }

    /** The members of an object as plain values; none of anything else. */
    static Map<String, Object> values(JsonNode object) {
        Map<String, Object> values = new LinkedHashMap<>();
        object.properties().forEach(each -> values.put(each.getKey(), value(each.getValue())));
        return values;
    }

    private static Object value(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> values(node);
            case ARRAY -> {
                List<Object> items = new ArrayList<>();
                node.forEach(item -> items.add(value(item)));
                yield items;
            }
            case NUMBER -> node.numberValue();
            case BOOLEAN -> node.booleanValue();
            case STRING -> node.textValue();
            default -> null;
        };
    }
}
