package io.github.bts4j.train.eval;

import java.util.Objects;

/**
 * A Java source that ends at the beginning of a method's body.
 *
 * @param context the source before the method, possibly empty or cut at its beginning
 * @param header the method up to its opening brace, including comments and annotations
 */
public record MethodItem(String context, String header) {
    /**
     * Checks the texts.
     *
     * @param context the source before the method
     * @param header the method up to its opening brace
     * @throws IllegalArgumentException if the header does not end with an opening brace
     */
    public MethodItem {
        Objects.requireNonNull(context, "context");
        if (!header.endsWith("{")) {
            throw new IllegalArgumentException("header = '" + header + "' must end with the brace that opens the method's body");
        }
    }

    /** {@return the prompt: context and header} */
    public String prompt() {
        return context + header;
    }
}
