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
        Deque<String> chunks = new ArrayDeque<>(chunks(line, breaksHyphens));
        throwIf(width <= 0, () -> Fault.value("invalid width " + width + " (must be > 0)"));
        while (!chunks.isEmpty()) {
            if (Text.isBlank(chunks.peek()) && !lines.isEmpty()) {
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
            if (!current.isEmpty() && Text.isBlank(current.get(current.size() - 1))) {
                current.remove(current.size() - 1);
            }
            if (!current.isEmpty()) {
                lines.add(String.join("", current));
            }
        }
        return lines;
    }

    private static void breakWord(Deque<String> chunks, List<String> current, int space, boolean breaksWords, boolean breaksHyphens) {
        if (!breaksWords) {
            if (current.isEmpty()) {
                current.add(chunks.pop());
            }
            return;
        }
        String chunk = chunks.pop();
        int end = space;
        if (breaksHyphens && Text.length(chunk) > space) {
            String head = Text.slice(chunk, 0, space);
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
