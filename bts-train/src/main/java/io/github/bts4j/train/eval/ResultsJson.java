package io.github.bts4j.train.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.support.JsonReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The JSON form of {@link EvaluationResults}. */
final class ResultsJson {
    private static final Set<String> TOP = Set.of("schema", "metadata", "results");
    private static final Set<String> RESULT = Set.of("model", "task", "metric", "value", "low", "high", "level", "count", "items", "values", "weights");

    private ResultsJson() {}

    /** Writes one line per result, so that files can be read and compared line by line. */
    static String write(EvaluationResults results) {
        ObjectNode metadata = JsonReader.object();
        results.metadata().forEach(metadata::put);
        StringBuilder text = new StringBuilder("{\"schema\": \"").append(EvaluationResults.SCHEMA).append("\",\n\"metadata\": ").append(metadata)
                .append(",\n\"results\": [");
        String separator = "\n";
        for (EvaluationResult result : results.results()) {
            text.append(separator).append(json(result));
            separator = ",\n";
        }
        return text.append("]}\n").toString();
    }

    private static ObjectNode json(EvaluationResult result) {
        ObjectNode json = JsonReader.object().put("model", result.model()).put("task", result.task()).put("metric", result.metric().id())
                .put("value", result.interval().value()).put("low", result.interval().low()).put("high", result.interval().high()).put("level", result.level())
                .put("count", result.scores().count()).put("items", result.identity());
        numbers(json.putArray("values"), result.scores().values());
        if (Arrays.stream(result.scores().weights()).anyMatch(weight -> weight != 1)) {
            numbers(json.putArray("weights"), result.scores().weights());
        }
        return json;
    }

    private static void numbers(ArrayNode array, double[] values) {
        for (double value : values) {
            if (value == (long) value && Math.abs(value) < 1L << 53) {
                array.add((long) value);
            } else {
                array.add(value);
            }
        }
    }

    static EvaluationResults read(Path file) throws IOException {
        JsonNode root = JsonReader.STRICT.object(file, (where, message, cause) -> new IllegalArgumentException(where + ": " + message, cause));
        try {
            if (!root.path("schema").asText().equals(EvaluationResults.SCHEMA)) {
                throw new IllegalArgumentException("schema = " + root.path("schema") + " is not \"" + EvaluationResults.SCHEMA
                        + "\": is this a results file, and of this version?");
            }
            requireKnown(root, TOP);
            Map<String, String> metadata = new TreeMap<>();
            root.path("metadata").fieldNames().forEachRemaining(name -> metadata.put(name, ItemLines.text(root.path("metadata"), name)));
            List<EvaluationResult> results = new ArrayList<>();
            root.path("results").forEach(result -> results.add(result(result)));
            return new EvaluationResults(metadata, results);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
    }

    private static EvaluationResult result(JsonNode json) {
        requireKnown(json, RESULT);
        double[] values = numbers(json, "values");
        ItemScores scores = json.has("weights") ? new ItemScores(values, numbers(json, "weights")) : ItemScores.of(values);
        if (ItemLines.number(json, "count") != values.length) {
            throw new IllegalArgumentException("count = " + json.get("count") + ", but there are " + values.length + " values");
        }
        WindowScores.Interval interval = new WindowScores.Interval(number(json, "value"), number(json, "low"), number(json, "high"));
        Metric metric = Metric.of(ItemLines.text(json, "metric"));
        return new EvaluationResult(ItemLines.text(json, "model"), ItemLines.text(json, "task"), metric, ItemLines.text(json, "items"), scores, interval,
                number(json, "level"));
    }

    private static double[] numbers(JsonNode json, String field) {
        JsonNode array = json.path(field);
        double[] numbers = new double[array.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = required(array.get(i), field);
        }
        return numbers;
    }

    private static double number(JsonNode json, String field) {
        return required(json.path(field), field);
    }

    private static double required(JsonNode node, String field) {
        if (!node.isNumber()) {
            throw new IllegalArgumentException("field '" + field + "' is " + node + ", not a number");
        }
        return node.doubleValue();
    }

    private static void requireKnown(JsonNode json, Set<String> known) {
        json.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                throw new IllegalArgumentException("field '" + name + "' must be one of " + known.stream().sorted().toList() + ": was the file written by a later version?");
            }
        });
    }
}
