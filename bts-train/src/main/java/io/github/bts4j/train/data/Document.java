package io.github.bts4j.train.data;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * One document of a text source.
 *
 * @param text the text, never empty
 * @param origin where it was read: {@code file} or {@code file:line}, for messages
 * @serial exclude
 */
public record Document(String text, String origin) implements Serializable {

    /**
     * Checks the values.
     *
     * @param text the text
     * @param origin where it was read
     * @throws IllegalArgumentException if {@code text} is empty
     */
    public Document {
        Objects.requireNonNull(origin, "origin");
        if (text.isEmpty()) {
            throw new IllegalArgumentException("Document " + origin + " has no text");
        }
    }

    /** {@return the size of the text in bytes of UTF-8} */
    public long bytes() {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }
}
