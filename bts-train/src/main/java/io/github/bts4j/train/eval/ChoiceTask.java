package io.github.bts4j.train.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Multiple-choice questions. A model takes the answer whose text is most likely after the context; it sees neither the other answers nor their
 * letters. The same as the {@code multiple_choice} output of lm-evaluation-harness (0.4.13) with an empty {@code target_delimiter}.
 *
 * @param name the name in results
 * @param items the questions, at least one
 */
public record ChoiceTask(String name, List<ChoiceItem> items) implements EvaluationTask {
    /** The metrics that choose. */
    private static final List<Metric> METRICS = List.of(Metric.ACC, Metric.ACC_NORM, Metric.ACC_BYTES);

    /**
     * Copies the list and checks the values.
     *
     * @param name the name in results
     * @param items the questions
     * @throws IllegalArgumentException if the name is blank or there is no item
     */
    public ChoiceTask {
        items = List.copyOf(items);
        TaskNames.check(name, items.size());
    }

    /**
     * Reads JSON lines of the form <code>{"context": "..", "choices": ["..", ".."], "answer": 0}</code>; other fields are ignored.
     *
     * @param name the name in results
     * @param file the file, in UTF-8
     * @return the task
     * @throws IOException if the file cannot be read
     * @throws io.github.bts4j.core.DataException naming the line that is not an item
     */
    public static ChoiceTask read(String name, Path file) throws IOException {
        return new ChoiceTask(name, ItemLines.read(file, ChoiceTask::item));
    }

    /**
     * Writes the items in the format of {@link #read}.
     *
     * @param file the file, in a folder that exists; replaced atomically
     * @throws IOException if it cannot be written
     */
    public void write(Path file) throws IOException {
        ItemLines.write(file, items, ChoiceTask::json);
    }

    private static ChoiceItem item(JsonNode json) {
        return new ChoiceItem(ItemLines.text(json, "context"), ItemLines.texts(json, "choices"), ItemLines.number(json, "answer"));
    }

    private static ObjectNode json(ChoiceItem item) {
        ObjectNode json = ItemLines.object().put("context", item.context());
        ArrayNode choices = json.putArray("choices");
        item.choices().forEach(choices::add);
        return json.put("answer", item.answer());
    }

    /**
     * Scores every choice of every item.
     *
     * @param scorer the model
     * @return scores in the items' order
     * @throws IllegalArgumentException if a choice has no tokens of its own, or too many for the model's context
     */
    public List<ChoiceScore> score(ContinuationScorer scorer) {
        double[] all = scorer.logLikelihoods(items.stream().flatMap(item -> item.continuations().stream()).toList());
        List<ChoiceScore> scores = new ArrayList<>();
        int from = 0;
        for (ChoiceItem item : items) {
            int to = from + item.choices().size();
            scores.add(new ChoiceScore(item, Arrays.copyOfRange(all, from, to)));
            from = to;
        }
        return scores;
    }

    @Override
    public int size() {
        return items.size();
    }

    @Override
    public String identity() {
        return Identity.of("choice\n" + ItemLines.text(items, ChoiceTask::json));
    }

    @Override
    public List<EvaluationResult> evaluate(EvaluatedModel model) {
        List<ChoiceScore> scores = score(model.scorer());
        return METRICS.stream().map(metric -> EvaluationResult.of(model.name(), name, metric, identity(), correct(scores.stream(), metric))).toList();
    }

    private static ItemScores correct(Stream<ChoiceScore> scores, Metric metric) {
        return ItemScores.of(scores.mapToDouble(score -> score.correct(metric) ? 1 : 0).toArray());
    }
}
