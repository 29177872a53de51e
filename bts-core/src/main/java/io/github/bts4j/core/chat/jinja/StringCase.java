package io.github.bts4j.core.chat.jinja;

import java.util.Locale;

/** Upper and lower case as Python has them. */
final class StringCase {
    private static final int PART = 256;

    private StringCase() {}

    /** In parts, since Java copies the whole text for each character that becomes several. Upper case does not depend on what is around a character. */
    static String upper(String text) {
        if (text.length() <= PART) {
            return text.toUpperCase(Locale.ROOT);
        }
        StringBuilder out = new StringBuilder(text.length());
        for (int from = 0; from < text.length();) {
            int to = Math.min(from + PART, text.length());
            to -= to < text.length() && Character.isHighSurrogate(text.charAt(to - 1)) ? 1 : 0;
            out.append(text.substring(from, to).toUpperCase(Locale.ROOT));
            from = to;
        }
        return out.toString();
    }

    /** The one letter that becomes several is replaced first, for the same reason. A sigma still sees a cased letter there. */
    static String lower(String text) {
        return text.replace("\u0130", "i\u0307").toLowerCase(Locale.ROOT);
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.codePointAt(0);
        int size = Character.charCount(first);
        return title(first) + lower("x" + text.substring(size)).substring(1);
    }

    static String title(String text) {
        StringBuilder out = new StringBuilder(text.length());
        int word = 0;
        boolean inWord = false;
        for (int at = 0; at < text.length();) {
            int c = text.codePointAt(at);
            int next = at + Character.charCount(c);
            if (isCased(c) != inWord) {
                out.append(inWord ? word(text.substring(word, at)) : text.substring(word, at));
                word = at;
                inWord = !inWord;
            }
            at = next;
        }
        return out.append(inWord ? word(text.substring(word)) : text.substring(word)).toString();
    }

    private static String word(String cased) {
        return cased.isEmpty() ? "" : capitalize(cased);
    }

    private static boolean isCased(int c) {
        return Character.isLowerCase(c) || Character.isUpperCase(c) || Character.isTitleCase(c);
    }

    private static String title(int c) {
        int simple = Character.toTitleCase(c);
        String upper = upper(Text.of(c));
        if (Character.isTitleCase(c) || simple != c || upper.length() <= Character.charCount(c)) {
            return Text.of(simple);
        }
        boolean apostrophe = c == 0x149;
        return apostrophe ? upper : upper.substring(0, 1) + lower(upper.substring(1));
    }

    static String swapcase(String text) {
        StringBuilder out = new StringBuilder(text.length());
        String lower = lower(text);
        boolean parallel = lower.length() == text.length();
        for (int at = 0; at < text.length();) {
            int c = text.codePointAt(at);
            int size = Character.charCount(c);
            if (Character.isUpperCase(c)) {
                out.append(parallel ? lower.substring(at, at + size) : lower(Text.of(c)));
            } else if (Character.isLowerCase(c)) {
                out.append(upper(Text.of(c)));
            } else {
                out.appendCodePoint(c);
            }
            at += size;
        }
        return out.toString();
    }

    static String casefold(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> out.append(c < 128 ? Text.of(Character.toLowerCase(c)) : c == 0x131 ? Text.of(c) : folded(c)));
        return out.toString();
    }

    private static String folded(int c) {
        StringBuilder out = new StringBuilder();
        upper(Text.of(c)).codePoints().forEach(u -> out.append(lower(Text.of(u))));
        return out.toString();
    }
}
