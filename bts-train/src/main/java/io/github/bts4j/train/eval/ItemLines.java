package io.github.bts4j.train.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.DataException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.support.JsonReader;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Items as JSON lines: one object per line; blank lines and unknown fields are ignored. */
final class ItemLines {
    private ItemLines() {}

    static ObjectNode object() {
        return JsonReader.object();
    }

    static <T> String text(List<T> items, Function<T, ObjectNode> json) {
        return items.stream().map(item -> json.apply(item) + "\n").collect(Collectors.joining());
    }

    static <T> void write(Path file, List<T> items, Function<T, ObjectNode> json) throws IOException {
        AtomicFiles.write(file, text(items, json));
    }

    static <T> List<T> read(Path file, Function<JsonNode, T> item) throws IOException {
        List<T> items = new ArrayList<>();
        List<String> lines = lines(file);
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).isBlank()) {
                items.add(read(file, file + ":" + (i + 1), lines.get(i), item));
            }
        }
        if (items.isEmpty()) {
            throw new DataException(file, file + " has no items: it needs one JSON object per line");
        }
        return items;
    }

    private static List<String> lines(Path file) throws IOException {
        try {
            return List.of(Files.readString(file).split("\r?\n")); // not readAllLines: texts may hold other line ends
        } catch (MalformedInputException e) {
            throw new DataException(file, file + " is not UTF-8: convert it", e);
        }
    }

    private static <T> T read(Path file, String origin, String line, Function<JsonNode, T> item) {
        try {
            return item.apply(JsonReader.STRICT.line(line));
        } catch (IllegalArgumentException e) {
            throw new DataException(file, origin + ": " + e.getMessage(), e);
        }
    }

    static String text(JsonNode item, String field) {
        return text(item.path(field), field, item);
    }

    static List<String> texts(JsonNode item, String field) {
        JsonNode array = item.path(field);
        if (!array.isArray()) {
            throw new IllegalArgumentException("field '" + field + "' is " + JsonReader.kind(array) + ", not a list of texts");
        }
        List<String> texts = new ArrayList<>();
        array.forEach(node -> texts.add(text(node, field, item)));
        return texts;
    }

    static int number(JsonNode item, String field) {
        if (!item.path(field).isInt()) {
            throw new IllegalArgumentException("field '" + field + "' is " + item.path(field) + ", not a whole number");
        }
        return item.path(field).intValue();
    }

    private static String text(JsonNode node, String field, JsonNode item) {
        if (!node.isTextual()) {
            List<String> fields = new ArrayList<>();
            item.fieldNames().forEachRemaining(fields::add);
            throw new IllegalArgumentException(node.isMissingNode() ? "no field '" + field + "' (fields: " + String.join(", ", fields) + ")"
                    : "field '" + field + "' holds " + JsonReader.kind(node) + ", not a string");
        }
        return node.textValue();
    }
}
