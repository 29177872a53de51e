package io.github.bts4j.core.tokenizer;

import java.util.Objects;

/**
 * A stretch of a prompt: either a piece of the template, in which special-token text means the special token, or content that fills the template, in which
 * it is only text.
 *
 * @param text the text
 * @param template whether special-token text inside {@code text} becomes special tokens
 */
public record PromptSegment(String text, boolean template) {

    /**
     * Checks the components.
     *
     * @param text the text
     * @param template whether special-token text inside it becomes special tokens
     * @throws NullPointerException if text is null
     */
    public PromptSegment {
        Objects.requireNonNull(text, "text");
    }

    /**
     * A piece of the template: {@code <|end|>} inside it is the special token.
     *
     * @param text trusted text, from the program or the checkpoint
     * @return the segment
     */
    public static PromptSegment template(String text) {
        return new PromptSegment(text, true);
    }

    /**
     * Content that fills the template: {@code <|end|>} inside it is just seven characters.
     *
     * @param text the text, possibly untrusted
     * @return the segment
     */
    public static PromptSegment content(String text) {
        return new PromptSegment(text, false);
    }
}
