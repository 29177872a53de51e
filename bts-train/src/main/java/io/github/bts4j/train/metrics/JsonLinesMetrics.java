package io.github.bts4j.train.metrics;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.support.JsonReader;
import java.nio.file.Path;
import java.util.Map;

/**
 * All reported values as JSON lines: objects with {@code "kind"} {@code "step"}, {@code "evaluation"},
 * {@code "histogram"} or {@code "message"}, all with a {@code "step"}. Names are spelled in snake case, as in {@link CsvMetrics}. NaN and the
 * infinities, which JSON lacks, are the strings {@code "NaN"}, {@code "Infinity"} and {@code "-Infinity"}.
 */
public final class JsonLinesMetrics implements MetricsListener {


    private final RowLog rows;
    private long lastStep;

    private JsonLinesMetrics(RowLog rows, long lastStep) {
        this.rows = rows;
        this.lastStep = lastStep;
    }

    /**
     * Starts a file for a new run.
     *
     * @param path the file; its folder is made
     * @return the listener; the caller closes it
     * @throws IllegalArgumentException if the file has content
     * @throws java.io.UncheckedIOException if the file cannot be made
     */
    public static JsonLinesMetrics create(Path path) {
        return new JsonLinesMetrics(RowLog.create(path), 0);
    }

    /**
     * Continues the file of an earlier run: removes the rows after a step and an incomplete row. A file that does not exist is
     * started.
     *
     * @param path the file
     * @param lastStep the last step to keep, that of the checkpoint; 0 keeps what was reported before the first step
     * @return the listener; the caller closes it
     * @throws IllegalArgumentException if a row is damaged or {@code lastStep} is negative
     * @throws java.io.UncheckedIOException if the file cannot be read or written
     */
    public static JsonLinesMetrics resume(Path path, long lastStep) {
        return new JsonLinesMetrics(RowLog.resume(path, lastStep, (line, row) -> step(row)), lastStep);
    }

    @Override
    public void onStep(StepMetrics metrics) {
        lastStep = metrics.step();
        ObjectNode row = row("step").put("total_steps", metrics.totalSteps())
                .put("loss", metrics.loss())
                .put("grad_norm", metrics.gradNorm())
                .put("learning_rate", metrics.learningRate())
                .put("tokens_seen", metrics.tokensSeen())
                .put("tokens_per_second", metrics.tokensPerSecond());
        put(row, "loss_by_domain", metrics.lossByDomain());
        put(row, "extra", metrics.extra());
        rows.append(row.toString());
    }

    @Override
    public void onEvaluation(EvaluationMetrics metrics) {
        lastStep = metrics.step();
        ObjectNode row = row("evaluation").put("loss", metrics.loss());
        put(row, "loss_by_domain", metrics.lossByDomain());
        put(row, "bits_per_byte_by_domain", metrics.bitsPerByteByDomain());
        put(row, "extra", metrics.extra());
        rows.append(row.toString());
    }

    @Override
    public void onHistogram(HistogramMetrics metrics) {
        lastStep = metrics.step();
        ObjectNode row = row("histogram").put("name", metrics.name()).put("low", metrics.low()).put("high", metrics.high());
        ArrayNode counts = row.putArray("counts");
        for (double count : metrics.counts()) {
            counts.add(count);
        }
        rows.append(row.toString());
    }

    @Override
    public void onTensors(TensorMetrics metrics) {
        lastStep = metrics.step();
        ObjectNode row = row("tensors");
        ObjectNode tensors = row.putObject("tensors");
        metrics.byTensor().forEach((tensor, values) -> put(tensors, tensor, values));
        rows.append(row.toString());
    }

    @Override
    public void onMessage(String message) {
        rows.append(row("message").put("message", message).toString());
    }

    @Override
    public void close() {
        rows.close();
    }

    private ObjectNode row(String kind) {
        return JsonReader.object().put("kind", kind).put("step", lastStep);
    }

    private static void put(ObjectNode row, String name, Map<String, Double> values) {
        ObjectNode object = row.putObject(name);
        values.forEach(object::put);
    }

    private static long step(String row) {
        JsonNode step = JsonReader.STRICT.line(row).path("step");
        if (!step.isIntegralNumber()) {
            throw new IllegalArgumentException("'" + row + "' has no whole number \"step\"");
        }
        return step.longValue();
    }
}
