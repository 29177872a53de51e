package io.github.bts4j.core.chat;

import java.util.List;

/**
 * A prompt as text.
 *
 * @param text the text
 * @param assistant what the template's {@code generation} blocks wrote, in order: the assistant's part. Empty for templates without such blocks
 */
public record RenderedChat(String text, List<Span> assistant) {
    /**
     * A stretch of the text.
     *
     * @param begin the index of its first character
     * @param end the index behind its last character
     */
    public record Span(int begin, int end) {}
}
