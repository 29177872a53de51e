package io.github.bts4j.core.chat.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** {@code split} and its like. */
final class StringSplits {
    private StringSplits() {}

    /** {@code text.split(separator, limit)}; a limit below 0 is none. */
    static List<String> split(String text, String separator, int limit) {
        List<String> parts = new ArrayList<>();
        int from = 0;
        for (int at = Search.indexOf(text, separator, 0); at >= 0 && (limit < 0 || parts.size() < limit); at = Search.indexOf(text, separator, from)) {
            parts.add(text.substring(from, at));
            from = at + separator.length();
        }
        parts.add(text.substring(from));
        return parts;
    }

    /** The same from the right. */
    static List<String> rsplit(String text, String separator, int limit) {
        List<String> parts = new ArrayList<>();
        int to = text.length();
        for (int at = Search.lastIndexOf(text, separator, to); at >= 0 && (limit < 0 || parts.size() < limit); at = Search.lastIndexOf(text, separator, to)) {
            parts.add(text.substring(at + separator.length(), to));
            to = at;
        }
        parts.add(text.substring(0, to));
        Collections.reverse(parts);
        return parts;
    }

    /** {@code text.split(None, limit)}: by runs of whitespace. */
    static List<String> words(String text, int limit) {
        List<String> parts = new ArrayList<>();
        int at = Text.skipSpace(text, 0);
        while (at < text.length()) {
            if (limit >= 0 && parts.size() == limit) {
                parts.add(text.substring(at));
                break;
            }
            int end = at;
            while (end < text.length() && !Text.isSpace(text.charAt(end))) {
                end++;
            }
            parts.add(text.substring(at, end));
            at = Text.skipSpace(text, end);
        }
        return parts;
    }

    /** {@code text.rsplit(None, limit)}. */
    static List<String> rwords(String text, int limit) {
        List<String> parts = new ArrayList<>();
        String left = Text.stripEnd(text);
        while (!left.isEmpty()) {
            if (limit >= 0 && parts.size() == limit) {
                parts.add(left);
                break;
            }
            int begin = left.length();
            while (begin > 0 && !Text.isSpace(left.charAt(begin - 1))) {
                begin--;
            }
            parts.add(left.substring(begin));
            while (begin > 0 && Text.isSpace(left.charAt(begin - 1))) {
                begin--;
            }
            left = left.substring(0, begin);
        }
        Collections.reverse(parts);
        return parts;
    }

    static List<String> lines(String text, boolean keepEnds) {
        List<String> lines = new ArrayList<>();
        int from = 0;
        while (from < text.length()) {
            int end = from;
            while (end < text.length() && !Text.isLineBreak(text.charAt(end))) {
                end++;
            }
            int next = text.startsWith("\r\n", end) ? end + 2 : Math.min(end + 1, text.length());
            lines.add(text.substring(from, keepEnds ? next : end));
            from = next;
        }
        return lines;
    }
}
