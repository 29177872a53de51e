package io.github.bts4j.train.eval;

import io.github.bts4j.core.checkpoint.AtomicFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Results of models on tasks with the scores of all items, so that models can be compared without running them again. Immutable.
 *
 * @param metadata information about the run, such as seeds, versions and fingerprints of models, by name
 * @param results at most one result per model, task and metric
 */
public record EvaluationResults(Map<String, String> metadata, List<EvaluationResult> results) {
    /** The value of the field {@code schema} in a file. */
    public static final String SCHEMA = "bts4j-evaluation/1";

    /** Empty. */
    public static final EvaluationResults EMPTY = new EvaluationResults(Map.of(), List.of());

    /** The key of a result. */
    private record Key(String model, String task, Metric metric) {
        static Key of(EvaluationResult result) {
            return new Key(result.model(), result.task(), result.metric());
        }
    }

    /**
     * Copies the collections.
     *
     * @param metadata information about the run
     * @param results the results
     * @throws IllegalArgumentException if a model has two results of one metric on one task
     */
    public EvaluationResults {
        metadata = Collections.unmodifiableMap(new TreeMap<>(metadata));
        results = List.copyOf(results);
        Map<Key, EvaluationResult> known = new LinkedHashMap<>();
        for (EvaluationResult result : results) {
            if (known.put(Key.of(result), result) != null) {
                throw new IllegalArgumentException("'" + result.model() + "' has two results of " + result.metric().id() + " on '" + result.task()
                        + "': combine results with plus, in which later ones replace earlier ones");
            }
        }
    }

    /**
     * Adds results. If both have a result for a model, task and metric, or metadata of the same name, the new one is used.
     *
     * @param more the new results
     * @return all results; new ones come last or replace old ones in place
     */
    public EvaluationResults plus(EvaluationResults more) {
        Map<String, String> all = new TreeMap<>(metadata);
        all.putAll(more.metadata);
        Map<Key, EvaluationResult> joined = new LinkedHashMap<>();
        results.forEach(result -> joined.put(Key.of(result), result));
        more.results.forEach(result -> joined.put(Key.of(result), result));
        return new EvaluationResults(all, List.copyOf(joined.values()));
    }

    /**
     * Adds results, see {@link #plus(EvaluationResults)}.
     *
     * @param more the new results
     * @return all of them
     */
    public EvaluationResults plus(Collection<EvaluationResult> more) {
        return plus(new EvaluationResults(Map.of(), List.copyOf(more)));
    }

    /** {@return the models' names in order of first occurrence} */
    public List<String> models() {
        return results.stream().map(EvaluationResult::model).distinct().toList();
    }

    /**
     * Looks a result up.
     *
     * @param model the model's name
     * @param task the task's name
     * @param metric the metric
     * @return the result, empty if there is none
     */
    public Optional<EvaluationResult> find(String model, String task, Metric metric) {
        Key key = new Key(model, task, metric);
        return results.stream().filter(result -> Key.of(result).equals(key)).findFirst();
    }

    /**
     * Writes a JSON file: {@code schema}, {@code metadata}, and {@code results} with {@code model, task, metric, value, low, high, level, count, items} (the
     * identity of the items), {@code values} (one per item; in bits if the metric is bits per byte) and, unless all are 1, {@code weights} (in bytes).
     *
     * @param file the file, in a folder that exists; replaced atomically
     * @throws IOException if it cannot be written
     */
    public void write(Path file) throws IOException {
        AtomicFiles.write(file, ResultsJson.write(this));
    }

    /**
     * Reads a file of {@link #write}.
     *
     * @param file the file
     * @return the results
     * @throws IOException if it cannot be read
     * @throws IllegalArgumentException if it is not such a file, has another version or unknown fields, or a value that does not match
     *     its items
     */
    public static EvaluationResults read(Path file) throws IOException {
        return ResultsJson.read(file);
    }
}
