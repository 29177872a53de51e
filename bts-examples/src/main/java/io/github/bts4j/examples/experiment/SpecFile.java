package io.github.bts4j.examples.experiment;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import io.github.bts4j.examples.PlainYaml;
import io.github.bts4j.examples.Suggestion;
import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Compares an experiment's file with the records that it is read into, and finds every mismatch with its line. Jackson stops at the first
 * one, and reports a misspelt key as missing.
 */
final class SpecFile {
    private final Path file;
    private final List<String> unknown = new ArrayList<>();
    private final List<String> others = new ArrayList<>();

    private SpecFile(Path file) {
        this.file = file;
    }

    /** A value: a scalar's text, a map's values or a list's. Its line is the one of its key, if it has one. */
    private record Node(int line, JsonToken token, String text, Map<String, Node> fields, List<Node> items) {
        boolean isMap() {
            return token == JsonToken.START_OBJECT;
        }
    }

    /**
     * Finds all errors in a file's keys and in the types of its values.
     *
     * @param file the file
     * @param format YAML or JSON
     * @return a message for each: unknown keys, then missing values and those of the wrong type
     * @throws IOException if the file cannot be read
     */
    static List<String> problems(Path file, JsonFactory format) throws IOException {
        SpecFile check = new SpecFile(file);
        try (JsonParser parser = format.createParser(PlainYaml.open(file))) {
            check.value(parser.nextToken() == null ? new Node(1, JsonToken.VALUE_NULL, "", Map.of(), List.of()) : node(parser, 1), ExperimentSpec.class, "");
        }
        List<String> all = new ArrayList<>(check.unknown);
        all.addAll(check.others);
        return all;
    }

    private static Node node(JsonParser parser, int line) throws IOException {
        JsonToken token = parser.currentToken();
        Map<String, Node> fields = new LinkedHashMap<>();
        List<Node> items = new ArrayList<>();
        if (token.isScalarValue()) {
            return new Node(line, token, parser.getText(), fields, items);
        }
        while (parser.nextToken() != JsonToken.END_OBJECT && parser.currentToken() != JsonToken.END_ARRAY) {
            int at = parser.currentTokenLocation().getLineNr();
            if (token == JsonToken.START_OBJECT) {
                String key = parser.currentName();
                parser.nextToken();
                fields.put(key, node(parser, at));
            } else {
                items.add(node(parser, at));
            }
        }
        return new Node(line, token, "", fields, items);
    }

    private void value(Node node, Type type, String path) {
        if (node.token() == JsonToken.VALUE_NULL) {
            wrong(node, path, path.isEmpty() ? "the file is empty" : "a value is missing");
        } else if (type instanceof ParameterizedType generic) {
            container(node, generic, path);
        } else if (type instanceof Class<?> plain && (plain.isRecord() || plain.isAnnotationPresent(JsonTypeInfo.class))) {
            if (node.isMap()) {
                record(node, plain, path);
            } else {
                wrong(node, path, "a map of keys is needed");
            }
        } else if (node.token().isScalarValue()) {
            scalar(node, (Class<?>) type, path);
        } else {
            wrong(node, path, "one value is needed, not a " + (node.isMap() ? "map" : "list"));
        }
    }

    /** A map by name, or a list. */
    private void container(Node node, ParameterizedType type, String path) {
        Type[] arguments = type.getActualTypeArguments();
        Type element = arguments[arguments.length - 1];
        JsonToken needed = type.getRawType() == Map.class ? JsonToken.START_OBJECT : JsonToken.START_ARRAY;
        if (node.token() != needed) {
            wrong(node, path, needed == JsonToken.START_OBJECT ? "a map of keys is needed" : "a list is needed");
        }
        node.fields().forEach((key, each) -> value(each, element, path + "." + key));
        for (int i = 0; i < node.items().size(); i++) {
            value(node.items().get(i), element, path + "[" + i + "]");
        }
    }

    private void record(Node node, Class<?> type, String path) {
        Map<String, Type> known = new LinkedHashMap<>();
        Class<?> chosen = type;
        JsonTypeInfo kinds = type.getAnnotation(JsonTypeInfo.class);
        if (kinds != null && kinds.use() == JsonTypeInfo.Id.NAME) {
            chosen = named(node, type, kinds.property(), path);
            known.put(kinds.property(), String.class);
        } else if (kinds != null) {
            chosen = Arrays.stream(type.getAnnotation(JsonSubTypes.class).value()).map(JsonSubTypes.Type::value)
                    .max(Comparator.comparingLong(each -> components(each).keySet().stream().filter(node.fields()::containsKey).count())).orElseThrow();
        }
        if (chosen == null) {
            return; // the expected keys are unknown
        }
        known.putAll(components(chosen));
        TreeSet<String> missing = new TreeSet<>(known.keySet());
        missing.removeAll(node.fields().keySet());
        node.fields().forEach((key, each) -> {
            if (known.containsKey(key)) {
                value(each, known.get(key), path.isEmpty() ? key : path + "." + key);
            } else {
                unknown.add(message(each, path, "the key '" + key + "' is not known" + Suggestion.of(key, missing) + "; known are " + String.join(", ", new TreeSet<>(known.keySet()))));
                missing.remove(Suggestion.nearest(key, missing)); // it exists, misspelt
            }
        });
        if (type == ExperimentSpec.class) {
            missing.removeAll(ExperimentSpec.OPTIONAL);
            missing.removeAll(List.of(ExperimentSpec.CHECKPOINT_EVERY, ExperimentSpec.TRAINING_PRECISION));
            if (node.fields().containsKey("model") && node.fields().get("model").fields().containsKey("published")) {
                missing.remove(ExperimentSpec.TOKENIZER);
            }
        }
        if (type == ExperimentSpec.EvaluationSpec.class) {
            missing.remove(ExperimentSpec.QUESTIONS);
        }
        missing.forEach(key -> wrong(node, path, "the key '" + key + "' is missing"));
    }

    /** The record that a key names; null if it names none. */
    private Class<?> named(Node node, Class<?> type, String property, String path) {
        Map<String, Class<?>> names = new LinkedHashMap<>();
        Arrays.stream(type.getAnnotation(JsonSubTypes.class).value()).forEach(each -> names.put(each.name(), each.value()));
        Node name = node.fields().get(property);
        if (name == null) {
            Optional<String> misspelt = node.fields().keySet().stream().filter(key -> !Suggestion.nearest(key, List.of(property)).isEmpty()).findFirst();
            misspelt.ifPresentOrElse(key -> unknown.add(message(node.fields().get(key), path, "the key '" + key + "' is not known" + Suggestion.of(key, List.of(property)))),
                    () -> wrong(node, path, "the key '" + property + "' is missing"));
        } else if (!names.containsKey(name.text())) {
            wrong(name, path + "." + property, noneOf(name.text(), names.keySet()));
        }
        return name == null ? null : names.get(name.text());
    }

    private static Map<String, Type> components(Class<?> type) {
        Map<String, Type> components = new LinkedHashMap<>();
        for (RecordComponent component : type.getRecordComponents()) {
            components.put(((PropertyNamingStrategies.NamingBase) PropertyNamingStrategies.KEBAB_CASE).translate(component.getName()), component.getGenericType());
        }
        return components;
    }

    /** Numbers may be quoted, and YAML takes some, such as 1e-3, for text: Jackson reads both. */
    private void scalar(Node node, Class<?> type, String path) {
        String text = node.text();
        if ((type == int.class || type == Long.class) && !reads(text, type == int.class ? Integer::parseInt : Long::parseLong)) {
            wrong(node, path, "'" + text + "' is not a whole number");
        } else if ((type == double.class || type == Double.class) && !reads(text, Double::parseDouble)) {
            wrong(node, path, "'" + text + "' is not a number");
        } else if (type == boolean.class && !List.of("true", "false").contains(text)) {
            wrong(node, path, "'" + text + "' must be true or false");
        } else if (type.isEnum()) {
            List<String> names = Arrays.stream(type.getEnumConstants()).map(each -> ((Enum<?>) each).name()).toList();
            if (!names.contains(text)) {
                wrong(node, path, noneOf(text, names));
            }
        }
    }

    private static boolean reads(String text, Function<String, Number> parser) {
        try {
            return parser.apply(text.replace("_", "")) != null; // 1_000 is a number in YAML
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private static String noneOf(String text, Collection<String> names) {
        return "'" + text + "' must be one of " + String.join(", ", names) + Suggestion.of(text, names);
    }

    private void wrong(Node node, String path, String what) {
        others.add(message(node, path, what));
    }

    private String message(Node node, String path, String what) {
        return file + ":" + node.line() + ": " + (path.isEmpty() ? "" : path + ": ") + what;
    }
}
