package io.github.bts4j.train.eval;

import java.util.Objects;

/**
 * A text whose end is to be predicted.
 *
 * @param context the text before, possibly empty
 * @param target its end, not empty, including the space before a word
 */
public record ClozeItem(String context, String target) {
    /**
     * Checks the texts.
     *
     * @param context the text before
     * @param target its end
     * @throws IllegalArgumentException if the target is empty
     */
    public ClozeItem {
        Objects.requireNonNull(context, "context");
        if (target.isEmpty()) {
            throw new IllegalArgumentException("Cloze item '" + context + "' has an empty target");
        }
    }
}
