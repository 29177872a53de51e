package io.github.bts4j.core.chat.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** {@code textwrap.wrap} with {@code expand_tabs} and {@code replace_whitespace} off. Widths are code points. */
final class WordWrap {
    private static final String SPACES = "\t\n\u000b\f\r ";

    private WordWrap() {}

    static List<String> wrap(String line, int width, boolean breaksWords, boolean breaksHyphens) {
        List<String> lines = new ArrayList<>();
        Deque<String> chunks = new ArrayDeque<>(chunks(line, breaksHyphens));
        if (width <= 0) {
            throw Fault.value("invalid width " + width + " (must be > 0)");
        }
        while (!chunks.isEmpty()) {
            if (isSpace(chunks.peek()) && !lines.isEmpty()) {
                chunks.pop();
            }
            List<String> current = new ArrayList<>();
            int length = 0;
            while (!chunks.isEmpty() && length + Text.length(chunks.peek()) <= width) {
                length += Text.length(chunks.peek());
                current.add(chunks.pop());
            }
            if (!chunks.isEmpty() && Text.length(chunks.peek()) > width) {
                breakWord(chunks, current, width - length, breaksWords, breaksHyphens);
            }
            if (!current.isEmpty() && isSpace(current.get(current.size() - 1))) {
                current.remove(current.size() - 1);
            }
            if (!current.isEmpty()) {
                lines.add(String.join("", current));
            }
        }
        return lines;
    }

    private static boolean isSpace(String chunk) {
        return chunk.chars().allMatch(c -> SPACES.indexOf(c) >= 0);
    }

    private static void breakWord(Deque<String> chunks, List<String> current, int space, boolean breaksWords, boolean breaksHyphens) {
        int left = Math.max(space, 1);
        if (!breaksWords) {
            if (current.isEmpty()) {
                current.add(chunks.pop());
            }
            return;
        }
        String chunk = chunks.pop();
        int end = left;
        if (breaksHyphens && Text.length(chunk) > left) {
            String head = Text.slice(chunk, 0, left);
            int hyphen = head.lastIndexOf('-');
            if (hyphen > 0 && head.substring(0, hyphen).chars().anyMatch(c -> c != '-')) {
                end = head.codePointCount(0, hyphen) + 1;
            }
        }
        int offset = Text.offset(chunk, end);
        current.add(chunk.substring(0, offset));
        if (offset < chunk.length()) {
            chunks.push(chunk.substring(offset));
        }
    }

    /** Words and the whitespace between them; hyphenated words in parts, each with its hyphen. */
    private static List<String> chunks(String line, boolean breaksHyphens) {
        List<String> chunks = new ArrayList<>();
        int from = 0;
        for (int i = 1; i <= line.length(); i++) {
            boolean end = i == line.length() || SPACES.indexOf(line.charAt(i)) >= 0 != SPACES.indexOf(line.charAt(i - 1)) >= 0;
            if (end || breaksHyphens && breaksAt(line, from, i)) {
                chunks.add(line.substring(from, i));
                from = i;
            }
        }
        return chunks;
    }

    /** Whether a word may break before {@code at}: behind a hyphen between letters, or around a dash. */
    private static boolean breaksAt(String line, int from, int at) {
        boolean hyphen = line.charAt(at - 1) == '-';
        boolean dashBefore = at >= 2 && hyphen && line.charAt(at - 2) == '-';
        if (dashBefore && line.charAt(at) != '-') {
            return isWord(line.charAt(at));
        }
        boolean dashAfter = line.startsWith("--", at) && !hyphen;
        if (dashAfter && isWordOrPunctuation(line.charAt(at - 1))) {
            int end = at;
            while (end < line.length() && line.charAt(end) == '-') {
                end++;
            }
            return end < line.length() && isWord(line.charAt(end));
        }
        return hyphen && !dashBefore && at - from >= 3 && Character.isLetter(line.charAt(at - 2)) && Character.isLetter(line.charAt(at - 3))
                && at + 1 < line.length() && Character.isLetter(line.charAt(at)) && (Character.isLetter(line.charAt(at + 1)) || line.charAt(at + 1) == '-');
    }

    private static boolean isWord(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }

    private static boolean isWordOrPunctuation(char c) {
        return isWord(c) || "!\"'&.,?".indexOf(c) >= 0;
    }
}
