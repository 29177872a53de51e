package io.github.bts4j.core.chat.jinja;

/** Texts as Python sees them: sequences of code points, with its idea of whitespace and of lines. */
final class Text {
    private Text() {}

    static boolean isSpace(int c) {
        return c == ' ' || c >= 9 && c <= 13 || c >= 0x1c && c <= 0x1f || c == 0x85 || c == 0xa0 || c == 0x1680 || c >= 0x2000 && c <= 0x200a
                || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
    }

    static boolean isLineBreak(char c) {
        return c >= 10 && c <= 13 || c >= 0x1c && c <= 0x1e || c == 0x85 || c == 0x2028 || c == 0x2029;
    }

    static boolean isBlank(String text) {
        return skipSpace(text, 0) == text.length();
    }

    /** Where the next character that is no whitespace is. */
    static int skipSpace(String text, int from) {
        int at = from;
        while (at < text.length() && isSpace(text.charAt(at))) {
            at++;
        }
        return at;
    }

    static String stripStart(String text) {
        return text.substring(skipSpace(text, 0));
    }

    static String stripEnd(String text) {
        int end = text.length();
        while (end > 0 && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(0, end);
    }

    static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    /** The index in UTF-16 units of a code point's index, which may be the length. */
    static int offset(String text, int index) {
        return text.offsetByCodePoints(0, index);
    }

    /** Whether every code point is one UTF-16 unit. */
    static boolean isFlat(String text) {
        return length(text) == text.length();
    }

    /** From one code point up to another. */
    static String slice(String text, int start, int stop) {
        if (stop <= start) {
            return "";
        }
        if (isFlat(text)) {
            return text.substring(start, stop);
        }
        int from = offset(text, start);
        return text.substring(from, text.offsetByCodePoints(from, stop - start));
    }

    static String of(int codePoint) {
        return Character.toString(codePoint);
    }
}
