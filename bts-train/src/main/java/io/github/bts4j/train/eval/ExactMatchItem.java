package io.github.bts4j.train.eval;

import java.util.Objects;

/**
 * A question that is answered in the model's own words.
 *
 * @param prompt the text to continue, not blank; where words begin with their space, as in most vocabularies, it should not end with one
 * @param answer the right answer, not blank
 */
public record ExactMatchItem(String prompt, String answer) {
    /**
     * Checks the texts.
     *
     * @param prompt the text to continue
     * @param answer the right answer
     * @throws IllegalArgumentException if one is blank
     */
    public ExactMatchItem {
        Objects.requireNonNull(prompt, "prompt");
        if (prompt.isBlank() || answer.isBlank()) {
            throw new IllegalArgumentException("prompt = '" + prompt + "', answer = '" + answer + "': neither may be blank");
        }
    }
}
