package io.github.bts4j.core.generate;

import java.util.List;

/**
 * How likely the model finds a token of a given text, after those before it.
 *
 * @param id the token id
 * @param logProb the natural logarithm of its probability
 * @param mostLikely the likeliest tokens at its place, the likeliest first
 */
public record TokenScore(int id, float logProb, List<TokenLogProb> mostLikely) {
    /**
     * Copies the list.
     *
     * @param id the token id
     * @param logProb the natural logarithm of its probability
     * @param mostLikely the likeliest tokens at its place
     */
    public TokenScore {
        mostLikely = List.copyOf(mostLikely);
    }

    /**
     * Whether greedy decoding would have taken this token, as evaluation harnesses ask.
     *
     * @return true if it is the likeliest at its place, of equally likely ones the lowest id
     * @throws IllegalStateException if the text was scored without alternatives
     */
    public boolean isGreedy() {
        if (mostLikely.isEmpty()) {
            throw new IllegalStateException("Token " + id + " was scored without alternatives: ask for 1 or more");
        }
        return mostLikely.get(0).id() == id;
    }
}
