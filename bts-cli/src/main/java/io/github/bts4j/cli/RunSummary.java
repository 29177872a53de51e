package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.FileFormatException;
import io.github.bts4j.core.support.JsonReader;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Optional;

/**
 * What a run's metrics.jsonl says.
 *
 * @param folder the run's folder
 * @param changed when the file was last written
 * @param step the last step
 * @param best the validation with the lowest loss
 * @param messages number of messages, such as rewinds
 */
record RunSummary(Path folder, FileTime changed, Optional<JsonNode> step, Optional<JsonNode> best, int messages) {
    static final String FILE = "metrics.jsonl";

    /**
     * Reads a run. A row that is not whole, at the end of the file of a run that is being written, is left out.
     *
     * @throws FileFormatException if another row is damaged, or the file is not UTF-8
     */
    static RunSummary read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        Optional<JsonNode> step = Optional.empty();
        Optional<JsonNode> best = Optional.empty();
        int messages = 0;
        try (BufferedReader rows = Files.newBufferedReader(file)) {
            long number = 0;
            for (String row = rows.readLine(); row != null;) {
                String next = rows.readLine();
                number++;
                Optional<JsonNode> read = row(file, number, row, next == null);
                String kind = read.map(node -> node.path("kind").asText()).orElse("");
                switch (kind) {
                    case "step" -> step = read;
                    case "evaluation" -> best = best.isEmpty() || loss(read.get()) < loss(best.get()) ? read : best;
                    case "message" -> messages++;
                    default -> { }
                }
                row = next;
            }
        } catch (CharacterCodingException e) {
            throw FileFormatException.of(file, "is not UTF-8: was the file changed?", e);
        }
        return new RunSummary(folder, Files.getLastModifiedTime(file), step, best, messages);
    }

    private static Optional<JsonNode> row(Path file, long number, String row, boolean last) {
        try {
            return Optional.of(JsonReader.STRICT.line(row));
        } catch (IllegalArgumentException e) {
            if (last) {
                return Optional.empty();
            }
            throw FileFormatException.of(file, "line " + number + " is " + e.getMessage() + ": was the file changed?", e);
        }
    }

    private static double loss(JsonNode evaluation) {
        double loss = evaluation.path("loss").asDouble(Double.NaN);
        return Double.isNaN(loss) ? Double.POSITIVE_INFINITY : loss;
    }

    /** The number of steps that are done. */
    long steps() {
        return step.map(row -> row.path("step").asLong()).orElse(0L);
    }

    long totalSteps() {
        return step.map(row -> row.path("total_steps").asLong()).orElse(0L);
    }

    /** As JSON, with the keys of metrics.jsonl. */
    ObjectNode json() {
        ObjectNode json = Outcome.object().put("run", folder.toString()).put("changed", changed.toString());
        step.ifPresent(row -> {
            json.set("last", ((ObjectNode) row.deepCopy()).without("kind"));
        });
        best.ifPresent(row -> {
            json.set("best_validation", ((ObjectNode) row.deepCopy()).without("kind"));
        });
        return json.put("messages", messages);
    }
}
