package io.github.bts4j.core.text;

import io.github.bts4j.core.GateWeights;
import java.util.List;

/**
 * The gate weights of a text.
 *
 * @param tokens the text of each token; joined, they are the whole text
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
