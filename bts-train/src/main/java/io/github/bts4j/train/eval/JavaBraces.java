package io.github.bts4j.train.eval;

import java.util.ArrayList;
import java.util.List;

/** The braces of Java source, without those in comments, strings, text blocks and characters. Unicode escapes are not interpreted. */
final class JavaBraces {
    private JavaBraces() {}

    /** Position after the brace that closes the block in which the text begins; -1 if it is not closed. */
    static int end(String text) {
        int depth = 1;
        for (int at : marks(text)) {
            char c = text.charAt(at);
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            if (depth == 0) {
                return at + 1;
            }
        }
        return -1;
    }

    /** Positions of braces and semicolons in code. */
    static List<Integer> marks(String text) {
        List<Integer> marks = new ArrayList<>();
        for (int at = 0; at < text.length(); ) {
            char c = text.charAt(at);
            int skipped = skip(text, at);
            if (skipped == at) {
                if (c == '{' || c == '}' || c == ';') {
                    marks.add(at);
                }
                skipped++;
            }
            at = skipped;
        }
        return marks;
    }

    /** The end of the comment or literal that begins at a position; the position itself if there is none. */
    private static int skip(String text, int at) {
        if (text.startsWith("//", at)) {
            return lineEnd(text, at);
        } else if (text.startsWith("/*", at)) {
            int end = text.indexOf("*/", at + 2);
            return end < 0 ? text.length() : end + 2;
        } else if (text.startsWith("\"\"\"", at)) {
            return literal(text, at + 3, "\"\"\"", text.length());
        } else if (text.charAt(at) == '"' || text.charAt(at) == '\'') {
            return literal(text, at + 1, text.substring(at, at + 1), lineEnd(text, at));
        }
        return at;
    }

    private static int literal(String text, int from, String quote, int limit) {
        for (int at = from; at < limit; at++) {
            if (text.startsWith(quote, at)) {
                return at + quote.length();
            }
            at += text.charAt(at) == '\\' ? 1 : 0;
        }
        return limit;
    }

    private static int lineEnd(String text, int at) {
        int end = at;
        while (end < text.length() && text.charAt(end) != '\n' && text.charAt(end) != '\r') {
            end++;
        }
        return end;
    }
}
