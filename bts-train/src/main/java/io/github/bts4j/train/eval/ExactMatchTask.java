package io.github.bts4j.train.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * Questions with free-text answers, by greedy decoding. The beginning of a prompt is cut off if it would leave too little of the model's context for the
 * answer.
 *
 * @param name the name in results
 * @param items the questions, at least one
 * @param rule decides whether an answer is correct
 * @param stopStrings texts that end an answer and are not part of it
 * @param maxNewTokens maximum number of tokens per answer, at least 1
 */
public record ExactMatchTask(String name, List<ExactMatchItem> items, AnswerRule rule, List<String> stopStrings, int maxNewTokens) implements EvaluationTask {
    /**
     * Copies the lists and checks the values.
     *
     * @param name the name in results
     * @param items the questions
     * @param rule decides whether an answer is correct
     * @param stopStrings texts that end an answer
     * @param maxNewTokens maximum number of tokens per answer
     * @throws IllegalArgumentException if the name is blank, there is no item, a reference answer is not correct by the rule, or {@code maxNewTokens} is below 1
     */
    public ExactMatchTask {
        items = List.copyOf(items);
        stopStrings = List.copyOf(stopStrings);
        Objects.requireNonNull(rule, "rule");
        TaskNames.check(name, items.size());
        if (maxNewTokens < 1) {
            throw new IllegalArgumentException("maxNewTokens = " + maxNewTokens + ", must be at least 1");
        }
        for (ExactMatchItem item : items) {
            if (!rule.matches(item.answer(), item.answer())) {
                throw new IllegalArgumentException("Task '" + name + "': no answer can be correct for '" + item.prompt() + "', the reference '" + item.answer()
                        + "' is not correct by " + rule);
            }
        }
    }

    /**
     * Reads JSON lines of the form <code>{"prompt": "..", "answer": ".."}</code>; other fields are ignored.
     *
     * @param name the name in results
     * @param file the file, in UTF-8
     * @param rule decides whether an answer is correct
     * @param stopStrings texts that end an answer
     * @param maxNewTokens maximum number of tokens per answer, at least 1
     * @return the task
     * @throws IOException if the file cannot be read
     * @throws io.github.bts4j.core.DataException naming the line that is not an item
     */
    public static ExactMatchTask read(String name, Path file, AnswerRule rule, List<String> stopStrings, int maxNewTokens) throws IOException {
        return new ExactMatchTask(name, ItemLines.read(file, ExactMatchTask::item), rule, stopStrings, maxNewTokens);
    }

    /**
     * Writes the items in the format of {@link #read}.
     *
     * @param file the file, in a folder that exists; replaced atomically
     * @throws IOException if it cannot be written
     */
    public void write(Path file) throws IOException {
        ItemLines.write(file, items, ExactMatchTask::json);
    }

    private static ExactMatchItem item(JsonNode json) {
        return new ExactMatchItem(ItemLines.text(json, "prompt"), ItemLines.text(json, "answer"));
    }

    private static ObjectNode json(ExactMatchItem item) {
        return ItemLines.object().put("prompt", item.prompt()).put("answer", item.answer());
    }

    /**
     * Generates the answers.
     *
     * @param model the model
     * @return one text per item, in order
     * @throws IllegalArgumentException if {@code maxNewTokens} leaves no room for a prompt
     */
    public List<String> answers(EvaluatedModel model) {
        return new Completions(model, maxNewTokens, stopStrings, text -> false).of(items.stream().map(ExactMatchItem::prompt).toList());
    }

    @Override
    public int size() {
        return items.size();
    }

    @Override
    public String identity() {
        return Identity.of("exact match\n" + rule + "\n" + stopStrings + "\n" + maxNewTokens + "\n" + ItemLines.text(items, ExactMatchTask::json));
    }

    @Override
    public List<EvaluationResult> evaluate(EvaluatedModel model) {
        List<String> answers = answers(model);
        boolean[] right = new boolean[items.size()];
        for (int i = 0; i < right.length; i++) {
            right[i] = rule.matches(answers.get(i), items.get(i).answer());
        }
        return List.of(EvaluationResult.of(model.name(), name, Metric.EXACT_MATCH, identity(), ItemScores.of(right)));
    }
}
