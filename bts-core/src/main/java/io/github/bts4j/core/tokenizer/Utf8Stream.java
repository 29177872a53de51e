package io.github.bts4j.core.tokenizer;

/**
 * Decodes UTF-8 byte by byte: returns each character after its last byte. Invalid UTF-8 becomes U+FFFD, either one for each ill-formed
 * sequence (the WHATWG decoder, which is also Rust's {@code from_utf8_lossy}) or one for each byte of it.
 */
final class Utf8Stream {

    private static final char REPLACEMENT = '\uFFFD';

    private final boolean replaceEachByte;
    private int codePoint;
    private int seen;
    private int missing;
    private int lowest = 0x80;
    private int highest = 0xBF;

    Utf8Stream(boolean replaceEachByte) {
        this.replaceEachByte = replaceEachByte;
    }

    /** Whether the bytes so far end inside a character. */
    boolean isInsideCharacter() {
        return missing > 0;
    }

    void push(int value, StringBuilder text) {
        if (missing > 0) {
            if (value >= lowest && value <= highest) {
                next(value, text);
                return;
            }
            flush(text);
        }
        first(value, text);
    }

    /** Ends the text: an unfinished character becomes U+FFFD. */
    void flush(StringBuilder text) {
        if (missing > 0) {
            replace(seen, text);
        }
        reset();
    }

    private void first(int value, StringBuilder text) {
        if (value < 0x80) {
            text.append((char) value);
        } else if (value >= 0xC2 && value <= 0xDF) {
            begin(value & 0x1F, 1);
        } else if (value >= 0xE0 && value <= 0xEF) {
            begin(value & 0x0F, 2);
            lowest = value == 0xE0 ? 0xA0 : 0x80; // no overlong forms
            highest = value == 0xED ? 0x9F : 0xBF; // no surrogates
        } else if (value >= 0xF0 && value <= 0xF4) {
            begin(value & 0x07, 3);
            lowest = value == 0xF0 ? 0x90 : 0x80; // no overlong forms
            highest = value == 0xF4 ? 0x8F : 0xBF; // nothing above U+10FFFF
        } else {
            replace(1, text);
        }
    }

    private void begin(int bits, int following) {
        codePoint = bits;
        seen = 1;
        missing = following;
    }

    private void next(int value, StringBuilder text) {
        codePoint = codePoint << 6 | value & 0x3F;
        seen++;
        lowest = 0x80;
        highest = 0xBF;
        if (--missing == 0) {
            text.appendCodePoint(codePoint);
            reset();
        }
    }

    private void replace(int bytes, StringBuilder text) {
        for (int i = 0; i < (replaceEachByte ? bytes : 1); i++) {
            text.append(REPLACEMENT);
        }
    }

    private void reset() {
        missing = 0;
        seen = 0;
        lowest = 0x80;
        highest = 0xBF;
    }
}
