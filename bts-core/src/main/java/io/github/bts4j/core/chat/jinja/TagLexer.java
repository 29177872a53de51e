package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Token.Kind;
import java.math.BigInteger;
import java.util.Deque;
import java.util.List;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The tokens inside of tags: names, numbers, strings, operators. */
final class TagLexer {
    private static final Pattern FLOAT = Pattern.compile("(?:[0-9]++_)*[0-9]++(?:(?:\\.(?:[0-9]++_)*[0-9]++)?[eE][+-]?(?:[0-9]++_)*[0-9]++|\\.(?:[0-9]++_)*[0-9]++)");
    private static final Pattern INTEGER = Pattern.compile("0[bB](?:_?[01])++|0[oO](?:_?[0-7])++|0[xX](?:_?[0-9a-fA-F])++|[1-9](?:_?[0-9])*+|0(?:_?0)*+");
    private static final int MAX_DIGITS = 4300;
    private static final List<String> OPERATORS = List.of("//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">",
            "<", "=", ".", ":", "|", ",", ";");

    private final String source;
    private final Matcher floats;
    private final Matcher integers;
    private int end;

    TagLexer(String source) {
        this.source = source;
        floats = FLOAT.matcher(source);
        integers = INTEGER.matcher(source);
    }

    /** The end of the last token. */
    int end() {
        return end;
    }

    Token token(int from, Deque<Character> open, IntFunction<Place> places) {
        char c = source.charAt(from);
        Place place = places.apply(from);
        if (c >= '0' && c <= '9') {
            return number(from, place);
        }
        if (isWord(source.codePointAt(from))) {
            return name(from, place);
        }
        if (c == '\'' || c == '"') {
            return string(from, c, place);
        }
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, from)) {
                balance(operator.charAt(0), open, place);
                end = from + operator.length();
                return new Token(Kind.OPERATOR, operator, null, place);
            }
        }
        throw Fault.syntax("unexpected char " + Repr.text(new String(Character.toChars(source.codePointAt(from)))), place);
    }

    private static void balance(char operator, Deque<Character> open, Place place) {
        switch (operator) {
            case '{' -> open.push('}');
            case '(' -> open.push(')');
            case '[' -> open.push(']');
            case '}', ')', ']' -> {
                throwIf(open.isEmpty(), () -> Fault.syntax("unexpected '" + operator + "'", place));
                char expected = open.pop();
                throwIf(expected != operator, () -> Fault.syntax("unexpected '" + operator + "', expected '" + expected + "'", place));
            }
            default -> { }
        }
    }

    private Token number(int from, Place place) {
        boolean afterDot = from > 0 && source.charAt(from - 1) == '.';
        if (!afterDot && floats.region(from, source.length()).lookingAt()) {
            end = floats.end();
            return new Token(Kind.FLOAT, floats.group(), Double.valueOf(floats.group().replace("_", "")), place);
        }
        integers.region(from, source.length()).lookingAt();
        end = integers.end();
        String text = integers.group().replace("_", "");
        int radix = text.length() < 2 ? 10 : switch (text.charAt(1)) {
            case 'b', 'B' -> 2;
            case 'o', 'O' -> 8;
            case 'x', 'X' -> 16;
            default -> 10;
        };
        throwIf(text.length() > MAX_DIGITS,
                () -> Fault.syntax("an integer of " + text.length() + " digits, at most " + MAX_DIGITS + " are read", place));
        return new Token(Kind.INTEGER, text, new BigInteger(radix == 10 ? text : text.substring(2), radix), place);
    }

    private static boolean isWord(int c) {
        return Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c) || c == '_' || Character.isLetterOrDigit(c);
    }

    private Token name(int from, Place place) {
        int at = from;
        while (at < source.length() && isWord(source.codePointAt(at))) {
            at += Character.charCount(source.codePointAt(at));
        }
        end = at;
        String name = source.substring(from, at);
        throwIf(!StringTests.isIdentifier(name), () -> Fault.syntax("Invalid character in identifier", place));
        return new Token(Kind.NAME, name, null, place);
    }

    private Token string(int from, char quote, Place place) {
        int at = from + 1;
        while (at < source.length() && source.charAt(at) != quote) {
            at += source.charAt(at) == '\\' ? 2 : 1;
        }
        throwIf(at >= source.length(),
                () -> Fault.syntax("unexpected char " + Repr.text(String.valueOf(quote)) + ": the string does not end", place));
        end = at + 1;
        return new Token(Kind.STRING, Escapes.decode(source.substring(from + 1, at), place), null, place);
    }
}
