package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.generate.GeneratedToken;
import java.util.ArrayList;
import java.util.List;

/** The gate weights of one answer's tokens as JSON: for each token, for each stitch, one weight for each model. */
final class AnswerGates {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final double STEPS = 10_000; // four decimal places

    private final List<Entry> entries = new ArrayList<>(); // not taken yet

    /** A token and its weights {@code [layers][models]}. */
    private record Entry(int id, String text, float[][] weights) {}

    void add(GeneratedToken token, GateWeights gates) {
        entries.add(new Entry(token.id(), token.text(), gates.values()[0]));
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    /** The names that the weights belong to. */
    static ObjectNode names(GateWeights gates) {
        ObjectNode names = JSON.objectNode();
        gates.models().forEach(names.putArray("models")::add);
        ArrayNode layers = names.putArray("after_layers");
        gates.layers().forEach(layer -> layers.add(layer.afterLayer()));
        return names;
    }

    /** Takes all entries. */
    ObjectNode take() {
        ObjectNode json = JSON.objectNode();
        ArrayNode ids = json.putArray("ids");
        ArrayNode tokens = json.putArray("tokens");
        ArrayNode weights = json.putArray("weights");
        for (Entry entry : entries) {
            ids.add(entry.id);
            tokens.add(entry.text);
            ArrayNode token = weights.addArray();
            for (float[] layer : entry.weights) {
                token.add(row(layer));
            }
        }
        entries.clear();
        return json;
    }

    /** One weight for each model. */
    static ArrayNode row(float... weights) {
        ArrayNode row = JSON.arrayNode();
        for (float weight : weights) {
            row.add(rounded(weight));
        }
        return row;
    }

    static double rounded(double weight) {
        return Math.round(weight * STEPS) / STEPS;
    }
}
