package io.github.bts4j.train.eval;

import java.util.Objects;

/**
 * A question with a free-text answer.
 *
 * @param prompt the text to continue, not blank; it should not end with a space, since in most vocabularies words begin with their space
 * @param answer the correct answer, not blank
 */
public record ExactMatchItem(String prompt, String answer) {
    /**
     * Checks the texts.
     *
     * @param prompt the text to continue
     * @param answer the correct answer
     * @throws IllegalArgumentException if one is blank
     */
    public ExactMatchItem {
        Objects.requireNonNull(prompt, "prompt");
        if (prompt.isBlank() || answer.isBlank()) {
            throw new IllegalArgumentException("prompt = '" + prompt + "', answer = '" + answer + "': neither may be blank");
        }
    }
}
