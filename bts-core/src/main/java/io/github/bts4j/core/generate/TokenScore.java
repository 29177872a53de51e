package io.github.bts4j.core.generate;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.List;

/**
 * The log-probability of a token in a given text.
 *
 * @param id the token id
 * @param logProb the natural logarithm of its probability
 * @param mostLikely the most likely tokens at its position, most likely first
 */
public record TokenScore(int id, float logProb, List<TokenLogProb> mostLikely) {
    /**
     * Copies the list.
     *
     * @param id the token id
     * @param logProb the natural logarithm of its probability
     * @param mostLikely the most likely tokens at its position
     */
    public TokenScore {
        mostLikely = List.copyOf(mostLikely);
    }

    /**
     * Whether greedy decoding would have chosen this token.
     *
     * @return true if it is the most likely at its position; ties go to the lowest id
     * @throws IllegalStateException if the text was scored without alternatives
     */
    public boolean isGreedy() {
        throwIf(mostLikely.isEmpty(), () -> new IllegalStateException("Token " + id + " was scored without alternatives: request 1 or more"));
        return mostLikely.get(0).id() == id;
    }
}
