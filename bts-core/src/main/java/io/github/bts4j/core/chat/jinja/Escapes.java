package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

/** The escapes in a string literal: what {@code text.encode("ascii", "backslashreplace").decode("unicode-escape")} makes of them in Python. */
final class Escapes {
    private final String text;
    private final Place place;
    private final StringBuilder decoded = new StringBuilder();
    private int at;

    private Escapes(String text, Place place) {
        this.text = text;
        this.place = place;
    }

    static String decode(String literal, Place place) {
        return literal.indexOf('\\') < 0 ? literal : new Escapes(literal, place).run();
    }

    private String run() {
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '\\') {
                escape(text.charAt(at++));
            } else {
                decoded.append(c);
            }
        }
        return decoded.toString();
    }

    private void escape(char c) {
        switch (c) {
            case '\n' -> { }
            case '\\', '\'', '"' -> decoded.append(c);
            case 'a' -> decoded.append('\u0007');
            case 'b' -> decoded.append('\b');
            case 'f' -> decoded.append('\f');
            case 'n' -> decoded.append('\n');
            case 'r' -> decoded.append('\r');
            case 't' -> decoded.append('\t');
            case 'v' -> decoded.append('\u000b');
            case 'x' -> code(2, "\\xXX");
            case 'u' -> code(4, "\\uXXXX");
            case 'U' -> code(8, "\\UXXXXXXXX");
            case 'N' -> named();
            default -> other(c);
        }
    }

    private void other(char c) {
        if (c >= '0' && c <= '7') {
            int code = c - '0';
            for (int i = 0; i < 2 && at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '7'; i++) {
                code = code * 8 + text.charAt(at++) - '0';
            }
            decoded.appendCodePoint(code);
        } else if (c < 128) {
            decoded.append('\\').append(c);
        } else {
            // backslashreplace has written the character as an escape, so that the backslash before it escapes a backslash
            int point = Character.isHighSurrogate(c) && at < text.length() ? Character.toCodePoint(c, text.charAt(at++)) : c;
            decoded.append(String.format(point < 256 ? "\\x%02x" : point < 0x10000 ? "\\u%04x" : "\\U%08x", point));
        }
    }

    private void code(int digits, String shape) {
        int end = at;
        while (end < text.length() && end < at + digits && Character.digit(text.charAt(end), 16) >= 0 && text.charAt(end) < 128) {
            end++;
        }
        throwIf(end < at + digits, () -> Fault.syntax("truncated " + shape + " escape", place));
        long point = Long.parseLong(text.substring(at, end), 16);
        throwIf(point > Character.MAX_CODE_POINT, () -> Fault.syntax("illegal Unicode character", place));
        decoded.appendCodePoint((int) point);
        at = end;
    }

    private void named() {
        int end = text.indexOf('}', at);
        throwIf(at >= text.length() || text.charAt(at) != '{' || end < 0, () -> Fault.syntax("malformed \\N character escape", place));
        try {
            decoded.appendCodePoint(Character.codePointOf(text.substring(at + 1, end)));
        } catch (IllegalArgumentException e) {
            throw Fault.syntax("unknown Unicode character name", place);
        }
        at = end + 1;
    }
}
