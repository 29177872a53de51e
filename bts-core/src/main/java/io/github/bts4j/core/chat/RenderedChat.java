package io.github.bts4j.core.chat;

import java.util.List;

/**
 * A prompt as text.
 *
 * @param text the text
 * @param assistant the output of the template's {@code generation} blocks in order: the assistant's parts. Empty for templates without such blocks
 */
public record RenderedChat(String text, List<Span> assistant) {
    /**
     * A range of the text.
     *
     * @param begin the index of its first character
     * @param end the index after its last character
     */
    public record Span(int begin, int end) {}
}
