package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Text to tokens, as jinja2's lexer with {@code trim_blocks} and {@code lstrip_blocks}: a newline after a block or comment goes, and so do spaces from
 * the line's beginning to it; {@code -} strips whitespace on its side, {@code +} keeps it.
 */
final class Lexer {
    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private final TagLexer tags;
    private int position;
    private boolean lineStarting = true;
    private int counted;
    private int lineOffset;
    private int lines;

    private Lexer(String source) {
        this.source = source;
        this.tags = new TagLexer(source);
    }

    /** The tokens of a template, an EOF last. */
    static List<Token> tokens(String template) {
        return new Lexer(normalized(template)).run();
    }

    /** Newlines as {@code \n}; one at the very end goes. */
    private static String normalized(String template) {
        String text = newlines(template);
        return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    }

    static String newlines(String text) {
        return text.indexOf('\r') < 0 ? text : text.replace("\r\n", "\n").replace('\r', '\n');
    }

    private List<Token> run() {
        while (position < source.length()) {
            int tag = nextTag(position);
            if (tag < 0) {
                data(source.substring(position), position);
                position = source.length();
                break;
            }
            int raw = source.charAt(tag + 1) == '%' ? rawEnd(tag) : -1;
            char sign = sign(tag + 2);
            data(stripped(source.substring(position, tag), sign, raw < 0 && source.charAt(tag + 1) == '{'), position);
            if (raw >= 0) {
                raw(tag, raw);
            } else {
                position = tag + (sign == 0 ? 2 : 3);
                lineStarting = false;
                tag(tag);
            }
        }
        tokens.add(new Token(Kind.EOF, "", null, place(source.length())));
        return tokens;
    }

    private int nextTag(int from) {
        for (int i = source.indexOf('{', from); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            char next = source.charAt(i + 1);
            if (next == '%' || next == '{' || next == '#') {
                return i;
            }
        }
        return -1;
    }

    private char sign(int at) {
        char c = at < source.length() ? source.charAt(at) : 0;
        return c == '-' || c == '+' ? c : 0;
    }

    private void tag(int tag) {
        switch (source.charAt(tag + 1)) {
            case '#' -> comment(tag);
            case '%' -> inside(tag, Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}");
            default -> inside(tag, Kind.VARIABLE_BEGIN, Kind.VARIABLE_END, "}}");
        }
    }

    private void data(String text, int at) {
        if (!text.isEmpty()) {
            tokens.add(new Token(Kind.DATA, text, null, place(at)));
        }
    }

    /** The text before a tag without what the tag strips from it. */
    private String stripped(String text, char sign, boolean variable) {
        if (sign == '-') {
            return Text.stripEnd(text);
        }
        if (sign == '+' || variable) {
            return text;
        }
        int line = text.lastIndexOf('\n') + 1;
        boolean blank = line < text.length() && Text.isBlank(text.substring(line));
        return blank && (line > 0 || lineStarting) ? text.substring(0, line) : text;
    }

    private void comment(int tag) {
        int end = source.indexOf("#}", position);
        throwIf(end < 0 && position < source.length(), () -> Fault.syntax("Missing end of comment tag", place(tag)));
        if (end < 0) { // nothing follows, which jinja2 lets pass
            return;
        }
        char sign = end > position ? sign(end - 1) : 0;
        position = afterEnd(end + 2, sign, true);
    }

    /** The position behind an end tag, {@code trim_blocks} and a stripping sign obeyed. */
    private int afterEnd(int end, char sign, boolean trims) {
        int next = end;
        if (sign == '-') {
            next = Text.skipSpace(source, end);
        } else if (trims && sign != '+' && end < source.length() && source.charAt(end) == '\n') {
            next = end + 1;
        }
        lineStarting = source.charAt(next - 1) == '\n';
        return next;
    }

    /** Where the text of a raw block that begins at {@code tag} begins, -1 if none begins there. */
    private int rawEnd(int tag) {
        int at = Text.skipSpace(source, tag + (sign(tag + 2) == 0 ? 2 : 3));
        if (!source.startsWith("raw", at)) {
            return -1;
        }
        at = Text.skipSpace(source, at + 3);
        if (source.startsWith("-%}", at)) {
            return Text.skipSpace(source, at + 3);
        }
        return source.startsWith("%}", at) ? at + 2 : -1;
    }

    private void raw(int tag, int begin) {
        lineStarting = source.charAt(begin - 1) == '\n';
        for (int end = source.indexOf("{%", begin); end >= 0; end = source.indexOf("{%", end + 1)) {
            char sign = sign(end + 2);
            int at = Text.skipSpace(source, end + (sign == 0 ? 2 : 3));
            if (!source.startsWith("endraw", at)) {
                continue;
            }
            at = Text.skipSpace(source, at + 6);
            char closing = sign(at);
            int close = closing == 0 ? at : at + 1;
            if (source.startsWith("%}", close)) {
                data(stripped(source.substring(begin, end), sign, false), begin);
                position = afterEnd(close + 2, closing, true);
                return;
            }
        }
        throwIf(begin < source.length(), () -> Fault.syntax("Missing end of raw directive", place(tag)));
        position = begin; // nothing follows, which jinja2 lets pass
    }

    /** The tokens of a tag up to and with its end. An end inside open brackets is no end. */
    private void inside(int tag, Kind begin, Kind end, String closing) {
        tokens.add(new Token(begin, "", null, place(tag)));
        Deque<Character> open = new ArrayDeque<>();
        while (position < source.length()) {
            if (open.isEmpty() && ends(end, closing)) {
                return;
            }
            int space = Text.skipSpace(source, position);
            if (space > position) {
                position = space;
                continue;
            }
            Token token = tags.token(position, open, this::place);
            tokens.add(token);
            position = tags.end();
        }
    }

    private boolean ends(Kind end, String closing) {
        char sign = sign(position);
        boolean signed = sign == '-' || sign == '+' && end == Kind.BLOCK_END;
        int at = signed ? position + 1 : position;
        if (!source.startsWith(closing, at)) {
            return false;
        }
        tokens.add(new Token(end, "", null, place(position)));
        position = afterEnd(at + 2, signed ? sign : 0, end == Kind.BLOCK_END);
        return true;
    }

    /** Places are asked for from left to right, so lines are counted on from the last. */
    private Place place(int offset) {
        for (; counted < offset; counted++) {
            if (source.charAt(counted) == '\n') {
                lines++;
                lineOffset = counted + 1;
            }
        }
        return new Place(lines + 1, Math.max(offset - lineOffset, 0) + 1);
    }
}
