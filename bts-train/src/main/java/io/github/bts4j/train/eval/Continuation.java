package io.github.bts4j.train.eval;

import java.util.Objects;

/**
 * A text to be scored after a context.
 *
 * @param context the text before, possibly empty
 * @param text the text that is scored, not empty, including any space after the context
 */
public record Continuation(String context, String text) {
    /**
     * Checks the texts.
     *
     * @param context the text before
     * @param text the text that is scored
     * @throws IllegalArgumentException if {@code text} is empty
     */
    public Continuation {
        Objects.requireNonNull(context, "context");
        if (text.isEmpty()) {
            throw new IllegalArgumentException("text = '' after the context '" + context + "': an empty text has no tokens to score");
        }
    }
}
