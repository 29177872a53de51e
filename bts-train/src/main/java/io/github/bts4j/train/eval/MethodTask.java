package io.github.bts4j.train.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Method bodies to be written in Java, by greedy decoding: does the code parse? Generation ends when the body's opening brace is closed; braces in
 * comments, strings and characters do not count. An item is correct if that happens before the limit and the method, in a class of its own, has no
 * syntax error for the parser of the running JDK. Names and types are not resolved, and the behaviour of the code is not checked: an empty body
 * parses too.
 *
 * <p>Needs a JDK (module {@code jdk.compiler}).
 *
 * @param name the name in results
 * @param items the beginnings, at least one
 * @param maxNewTokens maximum number of tokens per body, at least 1
 */
public record MethodTask(String name, List<MethodItem> items, int maxNewTokens) implements EvaluationTask {
    /**
     * Copies the list and checks the values.
     *
     * @param name the name in results
     * @param items the beginnings
     * @param maxNewTokens maximum number of tokens per body
     * @throws IllegalArgumentException if the name is blank, there is no item or {@code maxNewTokens} is below 1
     */
    public MethodTask {
        items = List.copyOf(items);
        TaskNames.check(name, items.size());
        if (maxNewTokens < 1) {
            throw new IllegalArgumentException("maxNewTokens = " + maxNewTokens + ", must be at least 1");
        }
    }

    /**
     * Reads JSON lines of the form <code>{"context": "..", "header": "..{"}</code>; other fields are ignored.
     *
     * @param name the name in results
     * @param file the file, in UTF-8
     * @param maxNewTokens maximum number of tokens per body, at least 1
     * @return the task
     * @throws IOException if the file cannot be read
     * @throws io.github.bts4j.core.DataException naming the line that is not an item
     */
    public static MethodTask read(String name, Path file, int maxNewTokens) throws IOException {
        return new MethodTask(name, ItemLines.read(file, MethodTask::item), maxNewTokens);
    }

    /**
     * Writes the items in the format of {@link #read}.
     *
     * @param file the file, in a folder that exists; replaced atomically
     * @throws IOException if it cannot be written
     */
    public void write(Path file) throws IOException {
        ItemLines.write(file, items, MethodTask::json);
    }

    private static MethodItem item(JsonNode json) {
        return new MethodItem(ItemLines.text(json, "context"), ItemLines.text(json, "header"));
    }

    private static ObjectNode json(MethodItem item) {
        return ItemLines.object().put("context", item.context()).put("header", item.header());
    }

    /**
     * Generates the bodies.
     *
     * @param model the model
     * @return for each item the text after the opening brace, to its closing brace or the limit
     * @throws IllegalArgumentException if {@code maxNewTokens} leaves no room for a prompt
     */
    public List<String> bodies(EvaluatedModel model) {
        List<String> texts = new Completions(model, maxNewTokens, List.of(), text -> JavaBraces.end(text) >= 0).of(items.stream().map(MethodItem::prompt).toList());
        return texts.stream().map(text -> JavaBraces.end(text) < 0 ? text : text.substring(0, JavaBraces.end(text))).toList();
    }

    /**
     * Whether a body closes and parses.
     *
     * @param item the beginning
     * @param body the text after the opening brace; text after its closing brace is ignored
     * @return true if header and body are one method without syntax error
     * @throws IllegalStateException if the Java runtime has no compiler
     */
    public static boolean parses(MethodItem item, String body) {
        int end = JavaBraces.end(body);
        return end >= 0 && JavaSyntax.ofThisJdk().isMethod(item.header() + body.substring(0, end));
    }

    @Override
    public int size() {
        return items.size();
    }

    @Override
    public String identity() {
        return Identity.of("method\n" + maxNewTokens + "\n" + ItemLines.text(items, MethodTask::json));
    }

    /**
     * Generates and parses the bodies.
     *
     * @throws IllegalStateException if the Java runtime has no compiler; before anything is generated
     */
    @Override
    public List<EvaluationResult> evaluate(EvaluatedModel model) {
        JavaSyntax.ofThisJdk();
        List<String> bodies = bodies(model);
        boolean[] parse = new boolean[items.size()];
        for (int i = 0; i < parse.length; i++) {
            parse[i] = parses(items.get(i), bodies.get(i));
        }
        return List.of(EvaluationResult.of(model.name(), name, Metric.PARSES, identity(), ItemScores.of(parse)));
    }
}
