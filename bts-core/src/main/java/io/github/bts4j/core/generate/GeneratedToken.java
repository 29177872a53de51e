package io.github.bts4j.core.generate;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.Objects;

/**
 * One generated token of a stream.
 *
 * @param id the token id
 * @param text the text that became certain with this token: empty while a character or a possible stop string is incomplete, and later possibly more than this
 *     token's text
 * @param logProb the natural logarithm of the token's probability before penalty, temperature and filters
 * @param index the position among the generated tokens, from 0
 */
public record GeneratedToken(int id, String text, float logProb, int index) {

    /**
     * Checks the components.
     *
     * @param id the token id
     * @param text the text that became certain with this token
     * @param logProb the natural logarithm of the model's probability
     * @param index the position among the generated tokens, from 0
     * @throws IllegalArgumentException if id or index is negative
     */
    public GeneratedToken {
        Objects.requireNonNull(text, "text");
        throwIf(id < 0 || index < 0, () -> new IllegalArgumentException("id = " + id + " and index = " + index + " must not be negative"));
    }
}
