package io.github.bts4j.train.eval;

import java.util.Objects;

/**
 * A text to be scored after another one.
 *
 * @param context what comes before, possibly empty
 * @param text what is scored, not empty; a space between the two belongs to it
 */
public record Continuation(String context, String text) {
    /**
     * Checks the texts.
     *
     * @param context what comes before
     * @param text what is scored
     * @throws IllegalArgumentException if {@code text} is empty
     */
    public Continuation {
        Objects.requireNonNull(context, "context");
        if (text.isEmpty()) {
            throw new IllegalArgumentException("text = '' after the context '" + context + "': an empty text has no tokens to score");
        }
    }
}
