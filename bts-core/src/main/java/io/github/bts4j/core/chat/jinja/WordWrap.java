package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code textwrap.wrap} with {@code expand_tabs} and {@code replace_whitespace} off. Widths are code points. */
final class WordWrap {
    private static final String SPACE = "[\\t\\n\\x0b\\f\\r ]";
    private static final String WORD_PUNCTUATION = "[\\w!\"'&.,?]";
    private static final String LETTER = "[^\\d\\W]";
    private static final Pattern SPACES = Pattern.compile(SPACE + "++");
    /** Python's {@code TextWrapper.wordsep_re}. */
    private static final Pattern HYPHENS = Pattern.compile(SPACE + "++|(?<=" + WORD_PUNCTUATION + ")-{2,}+(?=\\w)|[^\\t\\n\\x0b\\f\\r ]+?(?:-(?:(?<=" + LETTER + "{2}-)|(?<="
            + LETTER + "-" + LETTER + "-))(?=" + LETTER + "-?" + LETTER + ")|(?=" + SPACE + "|\\z)|(?<=" + WORD_PUNCTUATION + ")(?=-{2,}+\\w))",
            Pattern.UNICODE_CHARACTER_CLASS);

    private WordWrap() {}

    static List<String> wrap(String line, int width, boolean breaksWords, boolean breaksHyphens) {
        List<String> lines = new ArrayList<>();
        Deque<Chunk> chunks = new ArrayDeque<>();
        chunks(line, breaksHyphens).forEach(text -> chunks.add(new Chunk(text)));
        throwIf(width <= 0, () -> Fault.value("invalid width " + width + " (must be > 0)"));
        while (!chunks.isEmpty()) {
            if (chunks.peek().isBlank() && !lines.isEmpty()) {
                chunks.pop();
            }
            List<String> current = new ArrayList<>();
            int length = 0;
            while (!chunks.isEmpty() && length + chunks.peek().length <= width) {
                length += chunks.peek().length;
                current.add(chunks.pop().rest());
            }
            if (!chunks.isEmpty() && chunks.peek().length > width) {
                breakWord(chunks, current, width - length, breaksWords, breaksHyphens);
            }
            if (!current.isEmpty() && Text.isBlank(current.get(current.size() - 1))) {
                current.remove(current.size() - 1);
            }
            if (!current.isEmpty()) {
                lines.add(String.join("", current));
            }
        }
        return lines;
    }

    private static void breakWord(Deque<Chunk> chunks, List<String> current, int space, boolean breaksWords, boolean breaksHyphens) {
        if (!breaksWords) {
            if (current.isEmpty()) {
                current.add(chunks.pop().rest());
            }
            return;
        }
        Chunk chunk = chunks.peek();
        int end = space;
        if (breaksHyphens && chunk.length > space) {
            String head = chunk.head(space);
            int hyphen = head.lastIndexOf('-');
            if (hyphen > 0 && head.substring(0, hyphen).chars().anyMatch(c -> c != '-')) {
                end = head.codePointCount(0, hyphen) + 1;
            }
        }
        current.add(chunk.head(end));
        chunk.skip(end);
        if (chunk.length == 0) {
            chunks.pop();
        }
    }

    /** What is left of a word, or of whitespace. Its beginning is taken away without copying the rest, so that a long word takes time in proportion to its length. */
    private static final class Chunk {
        private final String text;
        private final int blankFrom; // behind the last character that is no whitespace
        private int from;
        private int length; // of what is left, in code points

        Chunk(String text) {
            this.text = text;
            blankFrom = Text.stripEnd(text).length();
            length = Text.length(text);
        }

        boolean isBlank() {
            return from >= blankFrom;
        }

        String rest() {
            return text.substring(from);
        }

        String head(int codePoints) {
            return text.substring(from, text.offsetByCodePoints(from, codePoints));
        }

        void skip(int codePoints) {
            from = text.offsetByCodePoints(from, codePoints);
            length -= codePoints;
        }
    }

    /** Words and the whitespace between them; hyphenated words in parts, each with its hyphen. */
    private static List<String> chunks(String line, boolean breaksHyphens) {
        List<String> chunks = new ArrayList<>();
        Matcher matcher = (breaksHyphens ? HYPHENS : SPACES).matcher(line);
        int from = 0;
        while (matcher.find()) {
            add(line.substring(from, matcher.start()), chunks);
            add(matcher.group(), chunks);
            from = matcher.end();
        }
        add(line.substring(from), chunks);
        return chunks;
    }

    private static void add(String chunk, List<String> chunks) {
        if (!chunk.isEmpty()) {
            chunks.add(chunk);
        }
    }
}
