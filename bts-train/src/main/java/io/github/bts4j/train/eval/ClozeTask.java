package io.github.bts4j.train.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Texts whose ends are to be predicted, as in LAMBADA (arXiv 1606.06031). An item is correct if greedy decoding gives the target's tokens. The same as the {@code loglikelihood} output of lm-evaluation-harness (0.4.13) with its metric {@code
 * acc}.
 *
 * @param name the name in results
 * @param items the texts, at least one
 */
public record ClozeTask(String name, List<ClozeItem> items) implements EvaluationTask {
    /**
     * Copies the list and checks the values.
     *
     * @param name the name in results
     * @param items the texts
     * @throws IllegalArgumentException if the name is blank or there is no item
     */
    public ClozeTask {
        items = List.copyOf(items);
        TaskNames.check(name, items.size());
    }

    /**
     * Reads JSON lines of the form <code>{"context": "..", "target": ".."}</code>; other fields are ignored.
     *
     * @param name the name in results
     * @param file the file, in UTF-8
     * @return the task
     * @throws IOException if the file cannot be read
     * @throws io.github.bts4j.core.DataException naming the line that is not an item
     */
    public static ClozeTask read(String name, Path file) throws IOException {
        return new ClozeTask(name, ItemLines.read(file, ClozeTask::item));
    }

    /**
     * Writes the items in the format of {@link #read}.
     *
     * @param file the file, in a folder that exists; replaced atomically
     * @throws IOException if it cannot be written
     */
    public void write(Path file) throws IOException {
        ItemLines.write(file, items, ClozeTask::json);
    }

    private static ClozeItem item(JsonNode json) {
        return new ClozeItem(ItemLines.text(json, "context"), ItemLines.text(json, "target"));
    }

    private static ObjectNode json(ClozeItem item) {
        return ItemLines.object().put("context", item.context()).put("target", item.target());
    }

    /**
     * Scores every target.
     *
     * @param scorer the model
     * @return scores in the items' order
     * @throws IllegalArgumentException if a target has no tokens of its own, or too many for the model's context
     */
    public List<ContinuationScore> score(ContinuationScorer scorer) {
        return scorer.scores(items.stream().map(item -> new Continuation(item.context(), item.target())).toList());
    }

    @Override
    public int size() {
        return items.size();
    }

    @Override
    public String identity() {
        return Identity.of("cloze\n" + ItemLines.text(items, ClozeTask::json));
    }

    /** The results are {@link Metric#ACC} and {@link Metric#LOG_LIKELIHOOD}. */
    @Override
    public List<EvaluationResult> evaluate(EvaluatedModel model) {
        List<ContinuationScore> scores = score(model.scorer());
        double[] correct = scores.stream().mapToDouble(score -> score.greedy() ? 1 : 0).toArray();
        double[] logLikelihoods = scores.stream().mapToDouble(ContinuationScore::logLikelihood).toArray();
        return List.of(EvaluationResult.of(model.name(), name, Metric.ACC, identity(), ItemScores.of(correct)),
                EvaluationResult.of(model.name(), name, Metric.LOG_LIKELIHOOD, identity(), ItemScores.of(logLikelihoods)));
    }
}
