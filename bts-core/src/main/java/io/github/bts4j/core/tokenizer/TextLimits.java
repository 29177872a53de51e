package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.TooLargeException;
import java.nio.file.Path;

/**
 * The limits on a tokenizer's texts. The native tokenizer aborts the process if it runs out of Java heap or if a search takes too long, so
 * a text's maximum cost is computed before the call.
 *
 * @param maxChars the longest text, in UTF-16 units
 * @param reason the reason for this limit, for the message
 * @param growth how many bytes a byte of a text can become, at most, by replacing and prepending
 * @param unicodeGrowth how many a character beyond ASCII can become, in addition, by Unicode's normal forms
 * @param added ids that the post-processor adds, at most
 * @param decodeGrowth how many characters a character of a token can become while decoding
 */
record TextLimits(int maxChars, String reason, double growth, double unicodeGrowth, int added, double decodeGrowth) {

    /** The longest text of any tokenizer: 16 million. */
    static final int MAX_CHARS = 1 << 24;

    private static final int MAX_RUN = 1 << 22;

    /**
     * The most ids that a text can have.
     *
     * @throws TooLargeException if the text is too long for this tokenizer
     */
    long maxIds(Path file, String text) {
        throwIf(text.length() > maxChars,
                () -> new TooLargeException("text has " + text.length() + " characters, " + file + " takes at most " + maxChars + " at once (" + reason
                        + "): split the text"));
        double bytes = 0;
        int run = 0;
        boolean space = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            bytes += c < 0x80 ? 1 : (c < 0x800 ? 2 : 3) * unicodeGrowth;
            boolean isSpace = Character.isWhitespace(c);
            run = isSpace == space ? run + 1 : 1;
            space = isSpace;
            throwIf(run > MAX_RUN,
                    () -> new TooLargeException("text has more than " + MAX_RUN + " characters in a row " + (isSpace ? "that are" : "without")
                            + " white space: is it a text? Split it or leave it out"));
        }
        return (long) (bytes * growth) + added + 1;
    }
}
