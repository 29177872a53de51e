package io.github.bts4j.core.constraint;

import java.util.ArrayList;
import java.util.List;

/**
 * Compiles patterns: those of JavaScript with literals, {@code .}, classes, groups, {@code |}, {@code * + ? {n,m}}, and {@code ^} and {@code $} around whole alternatives.
 * A pattern without them is found anywhere in a text.
 */
final class Regex {
    private static final int MOST_REPEATS = 1000;
    private static final int MOST_DEPTH = 50;

    private final String pattern;
    private final CharNfa nfa = new CharNfa();
    private int at;
    private int depth;

    private Regex(String pattern) {
        this.pattern = pattern;
    }

    /** The automaton of the texts in which a pattern is found; refuses what is not supported. */
    static CharAutomaton compile(String pattern, Budget budget) {
        Regex regex = new Regex(pattern);
        List<CharNfa.Part> alternatives = new ArrayList<>();
        do {
            alternatives.add(regex.anchored());
        } while (regex.taken('|'));
        if (regex.at < pattern.length()) {
            throw regex.problem("')' without '('");
        }
        regex.nfa.complete(regex.nfa.either(alternatives));
        return CharAutomaton.of(regex.nfa, budget);
    }

    private IllegalArgumentException problem(String what) {
        return new IllegalArgumentException(what + " at character " + at + " is not supported");
    }

    private boolean taken(char wanted) {
        if (at < pattern.length() && pattern.charAt(at) == wanted) {
            at++;
            return true;
        }
        return false;
    }

    private CharNfa.Part anchored() {
        boolean begins = taken('^');
        CharNfa.Part part = sequence();
        boolean ends = taken('$');
        if (at < pattern.length() && pattern.charAt(at) != '|' && pattern.charAt(at) != ')') {
            throw problem("'$' before the end of an alternative");
        }
        CharNfa.Part before = begins ? nfa.nothing() : nfa.optional(nfa.set(CharSet.ANY), true);
        CharNfa.Part after = ends ? nfa.nothing() : nfa.optional(nfa.set(CharSet.ANY), true);
        return nfa.sequence(nfa.sequence(before, part), after);
    }

    private CharNfa.Part sequence() {
        CharNfa.Part part = nfa.nothing();
        while (at < pattern.length() && "|)$".indexOf(pattern.charAt(at)) < 0) {
            part = nfa.sequence(part, repeated());
        }
        return part;
    }

    private CharNfa.Part repeated() {
        int begin = at;
        CharNfa.Part part = atom();
        int end = at;
        if (at >= pattern.length()) {
            return part;
        }
        int[] bounds = bounds();
        if (bounds == null) {
            return part;
        }
        taken('?'); // lazy: the same texts
        if (at < pattern.length() && "*+?{".indexOf(pattern.charAt(at)) >= 0) {
            throw problem("a repetition of a repetition");
        }
        return copies(begin, end, part, bounds);
    }

    /** Least and most, -1 for no bound; null without a repetition. */
    private int[] bounds() {
        if (taken('*')) {
            return new int[] {0, -1};
        } else if (taken('+')) {
            return new int[] {1, -1};
        } else if (taken('?')) {
            return new int[] {0, 1};
        } else if (!taken('{')) {
            return null;
        }
        int close = pattern.indexOf('}', at);
        String inside = close < 0 ? "" : pattern.substring(at, close);
        if (!inside.matches("\\d{1,4}(,\\d{0,4})?")) {
            throw problem("'{' that begins no number of repetitions");
        }
        at = close + 1;
        String[] parts = inside.split(",", -1);
        int least = Integer.parseInt(parts[0]);
        int most = parts.length == 1 ? least : parts[1].isEmpty() ? -1 : Integer.parseInt(parts[1]);
        if (least > MOST_REPEATS || most > MOST_REPEATS || most >= 0 && most < least) {
            throw problem("{" + inside + "} (at most " + MOST_REPEATS + " repetitions, the smaller number first)");
        }
        return new int[] {least, most};
    }

    /** Reads the atom again for each copy. */
    private CharNfa.Part copies(int begin, int end, CharNfa.Part first, int[] bounds) {
        int after = at;
        CharNfa.Part part = nfa.nothing();
        int copies = Math.max(bounds[0], bounds[1]) + (bounds[1] < 0 ? 1 : 0);
        for (int i = 0; i < copies; i++) {
            at = begin;
            CharNfa.Part copy = i == 0 ? first : atom();
            boolean again = bounds[1] < 0 && i == copies - 1;
            part = nfa.sequence(part, i < bounds[0] ? copy : nfa.optional(copy, again));
        }
        if (at != end && copies > 1) {
            throw problem("a repetition");
        }
        at = after;
        return part;
    }

    private CharNfa.Part atom() {
        char next = pattern.charAt(at++);
        switch (next) {
            case '(':
                return group();
            case '[':
                return nfa.set(characterClass());
            case '.':
                return nfa.set(CharSet.of(List.of('\n' + 0, '\n' + 0, '\r' + 0, '\r' + 0, 0x2028, 0x2029)).complement());
            case '\\':
                return nfa.set(escape(false));
            case '^':
            case '*':
            case '+':
            case '?':
                at--;
                throw problem("'" + next + "' here");
            default:
                at--;
                return nfa.set(CharSet.of(codePoint()));
        }
    }

    private int codePoint() {
        int codePoint = pattern.codePointAt(at);
        at += Character.charCount(codePoint);
        return codePoint;
    }

    private CharNfa.Part group() {
        if (taken('?') && !taken(':')) {
            throw problem("a group that begins with '?'");
        }
        if (++depth > MOST_DEPTH) {
            throw problem("a group inside " + MOST_DEPTH + " others");
        }
        List<CharNfa.Part> alternatives = new ArrayList<>();
        do {
            alternatives.add(sequence());
        } while (taken('|'));
        if (!taken(')')) {
            throw problem(at < pattern.length() ? "'" + pattern.charAt(at) + "' inside a group" : "'(' without ')'");
        }
        depth--;
        return nfa.either(alternatives);
    }

    private CharSet characterClass() {
        boolean not = taken('^');
        CharSet set = CharSet.of(List.of());
        while (!taken(']')) {
            if (at >= pattern.length()) {
                throw problem("'[' without ']'");
            }
            CharSet first = taken('\\') ? escape(true) : CharSet.of(codePoint());
            int[] low = first.ranges();
            if (at + 1 < pattern.length() && pattern.charAt(at) == '-' && pattern.charAt(at + 1) != ']') {
                at++;
                int[] high = (taken('\\') ? escape(true) : CharSet.of(codePoint())).ranges();
                if (low.length != 2 || high.length != 2 || low[0] != low[1] || high[0] != high[1] || low[0] > high[0]) {
                    throw problem("a range that ends here");
                }
                first = CharSet.of(List.of(low[0], high[0]));
            }
            set = set.and(first);
        }
        return not ? set.complement() : set;
    }

    private CharSet escape(boolean inClass) {
        if (at >= pattern.length()) {
            throw problem("'\\' at the end");
        }
        char name = pattern.charAt(at++);
        return switch (name) {
            case 'd' -> RegexClasses.DIGITS;
            case 'D' -> RegexClasses.DIGITS.complement();
            case 'w' -> RegexClasses.WORD;
            case 'W' -> RegexClasses.WORD.complement();
            case 's' -> RegexClasses.SPACE;
            case 'S' -> RegexClasses.SPACE.complement();
            case 'n' -> CharSet.of('\n');
            case 'r' -> CharSet.of('\r');
            case 't' -> CharSet.of('\t');
            case 'f' -> CharSet.of('\f');
            case 'v' -> CharSet.of(0x0B);
            case '0' -> CharSet.of(0);
            case 'x' -> CharSet.of(hexadecimal(2));
            case 'u' -> CharSet.of(hexadecimal(4));
            default -> {
                if (Character.isLetterOrDigit(name) && !(inClass && name == 'b')) {
                    throw problem("'\\" + name + "'");
                }
                yield CharSet.of(name == 'b' ? '\b' : name);
            }
        };
    }

    private int hexadecimal(int digits) {
        String text = pattern.substring(at, Math.min(pattern.length(), at + digits));
        if (!text.matches("[0-9a-fA-F]{" + digits + "}")) {
            throw problem("an escape without " + digits + " hexadecimal digits");
        }
        at += digits;
        return Integer.parseInt(text, 16);
    }
}
