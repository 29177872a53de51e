package io.github.bts4j.core.text;

import io.github.bts4j.core.GateWeights;
import java.util.List;

/**
 * Gate weights along a text.
 *
 * @param tokens the text of every token; together they are the text
 * @param weights the weights of every token
 */
public record TextGates(List<String> tokens, GateWeights weights) {
    /**
     * Copies the list.
     *
     * @param tokens the text of every token
     * @param weights the weights of every token
     */
    public TextGates {
        tokens = List.copyOf(tokens);
    }
}
