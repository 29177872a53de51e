package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The worst-case cost of a regular expression of a tokenizer.json. The tokenizers library matches by backtracking (Oniguruma), and ends the process when one
 * match takes more than ten million steps back; so an expression is read here first, and what cannot be bounded is refused.
 *
 * <p>The supported part of the language is what tokenizers use: characters, classes, properties, groups, alternatives, quantifiers,
 * options, anchors and look-around. The {@code degree} counts, for the costliest alternative, the unbounded repetitions that a later
 * failure makes the matcher try again: with degree 0 a search is linear in the text, with degree 1 quadratic.
 */
final class RegexCheck {

    /** The cost of an expression: {@code factor * length ^ (degree + 1)} steps for a whole text, and whether it matches the empty text. */
    record Cost(int degree, long factor, boolean nullable) {}

    private static final int MAX_LENGTH = 4096;
    private static final int MAX_DEPTH = 16;
    private static final int MAX_REPEAT = 1000;
    private static final long MAX_FACTOR = 1000;
    private static final String LETTERS = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
    private static final String SMALL = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";

    /** Alternatives that go back over a run once, by the beginning of the alternative that then takes that run: the whole search stays linear. */
    private static final Map<String, List<String>> LINEAR_WITH = Map.of("\\s+(?!\\S)", List.of("\\s+"), "\\s*[\\r\\n]+", List.of("\\s+"),
            "\\s*[\\r\\n]", List.of("\\s+"), LETTERS + "*" + SMALL + "+", List.of(LETTERS + "+" + SMALL + "*"));

    /** One item of a sequence; {@code fixed} items match in one way only. */
    private record Item(boolean nullable, boolean canFail, int unbounded, int degree, long factor, boolean fixed, long size) {
        static Item single() {
            return new Item(false, true, 0, 0, 1, true, 1);
        }
    }

    private final String expression;
    private int at;
    private int depth;

    private RegexCheck(String expression) {
        this.expression = expression;
    }

    /**
     * Reads an expression.
     *
     * @throws IllegalArgumentException if it has an unsupported part, or cannot be bounded; the message names the part
     */
    static Cost cost(String expression) {
        throwIf(expression.length() > MAX_LENGTH,
                () -> new IllegalArgumentException("has " + expression.length() + " characters, at most " + MAX_LENGTH + " are read"));
        throwIf(expression.isEmpty(), () -> new IllegalArgumentException("is empty"));
        RegexCheck check = new RegexCheck(expression);
        List<String> alternatives = new ArrayList<>();
        List<Item> costs = new ArrayList<>();
        do {
            int start = check.at;
            costs.add(check.sequence());
            alternatives.add(expression.substring(start, check.at));
        } while (check.take('|'));
        throwIf(check.at < expression.length(), () -> check.refused("an unmatched ')'"));
        int degree = 0;
        for (int i = 0; i < costs.size(); i++) {
            degree = Math.max(degree, costs.get(i).degree == 1 && linear(alternatives, i) ? 0 : costs.get(i).degree);
        }
        long factor = costs.stream().mapToLong(Item::factor).sum();
        throwIf(factor > MAX_FACTOR,
                () -> new IllegalArgumentException("can match in " + factor + " ways at one place, at most " + MAX_FACTOR + " are allowed"));
        return new Cost(degree, factor, costs.stream().anyMatch(Item::nullable));
    }

    private static boolean linear(List<String> alternatives, int index) {
        String alternative = alternatives.get(index);
        String optional = "[^\\r\\n\\p{L}\\p{N}]?";
        String body = alternative.startsWith(optional) ? alternative.substring(optional.length()) : alternative;
        for (Map.Entry<String, List<String>> known : LINEAR_WITH.entrySet()) {
            String rest = body.startsWith(known.getKey()) ? body.substring(known.getKey().length()) : null;
            boolean whole = rest != null && (rest.isEmpty() || rest.startsWith("(?i:") && rest.indexOf(')') == rest.length() - 2 && rest.endsWith(")?"));
            if (whole) {
                return alternatives.subList(index + 1, alternatives.size()).stream().anyMatch(later ->
                        known.getValue().stream().anyMatch(taker -> later.equals(taker) || later.startsWith(optional + taker) || later.startsWith(taker + "(?i:")));
            }
        }
        return false;
    }

    private Item alternation() {
        throwIf(++depth > MAX_DEPTH, () -> refused("groups nested deeper than " + MAX_DEPTH));
        List<Item> branches = new ArrayList<>();
        do {
            branches.add(sequence());
        } while (take('|'));
        depth--;
        return new Item(branches.stream().anyMatch(Item::nullable), branches.stream().anyMatch(Item::canFail),
                branches.stream().mapToInt(Item::unbounded).max().getAsInt(), branches.stream().mapToInt(Item::degree).max().getAsInt(),
                branches.stream().mapToLong(Item::factor).sum(), branches.size() == 1 && branches.get(0).fixed(),
                branches.stream().mapToLong(Item::size).sum());
    }

    private Item sequence() {
        List<Item> items = new ArrayList<>();
        while (at < expression.length() && expression.charAt(at) != '|' && expression.charAt(at) != ')') {
            items.add(quantified());
        }
        int last = -1;
        for (int i = 0; i < items.size(); i++) {
            last = items.get(i).canFail() ? i : last;
        }
        int before = 0;
        int degree = 0;
        long factor = 1;
        for (int i = 0; i < items.size(); i++) {
            degree = Math.max(degree, (i <= last ? before : 0) + items.get(i).degree());
            before += items.get(i).unbounded();
            factor = Math.min(factor * items.get(i).factor(), Integer.MAX_VALUE);
        }
        return new Item(items.stream().allMatch(Item::nullable), last >= 0, before, degree, factor, items.stream().allMatch(Item::fixed),
                items.stream().mapToLong(Item::size).sum());
    }

    private Item quantified() {
        Item atom = atom();
        if (at >= expression.length()) {
            return atom;
        }
        int min;
        int max;
        boolean braces = false;
        switch (expression.charAt(at)) {
            case '*' -> { min = 0; max = -1; at++; }
            case '+' -> { min = 1; max = -1; at++; }
            case '?' -> { min = 0; max = 1; at++; }
            case '{' -> {
                int[] bounds = bounds();
                min = bounds[0];
                max = bounds[1];
                braces = true;
            }
            default -> {
                return atom;
            }
        }
        if (!braces && at < expression.length() && "?+".indexOf(expression.charAt(at)) >= 0) {
            at++; // lazy or possessive: not cheaper here than greedy
        }
        throwIf(at < expression.length() && "*+?{".indexOf(expression.charAt(at)) >= 0, () -> refused("a quantifier of a quantifier"));
        return repeated(atom, min, max);
    }

    private Item repeated(Item atom, int min, int max) {
        if (min == 0 && max == 1) {
            return new Item(true, false, atom.unbounded(), atom.degree(), 1 + atom.factor(), false, atom.size());
        }
        throwIf(!atom.fixed() || atom.nullable(), () -> refused("a repeated group that can match in more than one way"));
        throwIf(atom.size() * Math.max(min, max) > MAX_REPEAT, () -> refused("repeated groups that spell more than " + MAX_REPEAT + " characters"));
        if (max < 0) {
            return new Item(min == 0, min > 0, 1, 0, 1, false, atom.size() * Math.max(1, min));
        }
        return new Item(min == 0, min > 0, 0, 0, max - min + 1L, max == min, atom.size() * max);
    }

    private int[] bounds() {
        int end = expression.indexOf('}', at);
        String body = end < 0 ? "" : expression.substring(at + 1, end);
        throwIf(!body.matches("\\d{1,6}(,\\d{0,6})?|,\\d{1,6}"), () -> refused("a '{' that is not a count and has no backslash"));
        at = end + 1;
        int comma = body.indexOf(',');
        int min = comma == 0 ? 0 : Integer.parseInt(comma < 0 ? body : body.substring(0, comma));
        int max = comma < 0 ? min : comma == body.length() - 1 ? -1 : Integer.parseInt(body.substring(comma + 1));
        throwIf(Math.max(min, max) > MAX_REPEAT || max >= 0 && max < min || max == 0,
                () -> refused("{" + body + "}: counts go from 1 to " + MAX_REPEAT + " here"));
        return new int[] {min, max};
    }

    private Item atom() {
        char c = expression.charAt(at++);
        switch (c) {
            case '(':
                return group();
            case '[':
                characterClass();
                return Item.single();
            case '^', '$':
                return anchor();
            case '\\':
                return escape() ? Item.single() : anchor();
            case '*', '+', '?', '{':
                at--;
                throw refused("a quantifier of nothing");
            default:
                at += Character.isHighSurrogate(c) ? 1 : 0;
                return Item.single();
        }
    }

    private Item anchor() {
        throwIf(at < expression.length() && "*+?{".indexOf(expression.charAt(at)) >= 0, () -> refused("a repeated anchor"));
        return new Item(true, true, 0, 0, 1, false, 0);
    }

    private Item group() {
        boolean around = false;
        if (take('?')) {
            int colon = at;
            while (colon < expression.length() && "im-".indexOf(expression.charAt(colon)) >= 0) {
                colon++;
            }
            if (expression.startsWith(")", colon) && colon > at) {
                at = colon + 1;
                return new Item(true, false, 0, 0, 1, false, 0); // options for what follows
            } else if (expression.startsWith(":", colon)) {
                at = colon + 1;
            } else if (expression.startsWith("=", at) || expression.startsWith("!", at)) {
                at++;
                around = true;
            } else if (expression.startsWith("<=", at) || expression.startsWith("<!", at)) {
                at += 2;
                around = true;
            } else if (!take('>')) {
                throw refused("a kind of group that no published tokenizer needs");
            }
        }
        Item body = alternation();
        throwIf(!take(')'), () -> refused("a '(' without ')'"));
        if (!around) {
            return body;
        }
        throwIf(at < expression.length() && "*+?{".indexOf(expression.charAt(at)) >= 0, () -> refused("a repeated look-around"));
        return new Item(true, true, 0, body.degree() + (body.unbounded() > 0 ? 1 : 0), body.factor(), false, body.size());
    }

    private void characterClass() {
        throwIf(++depth > MAX_DEPTH, () -> refused("classes nested deeper than " + MAX_DEPTH));
        take('^');
        throwIf(at < expression.length() && expression.charAt(at) == ']', () -> refused("an empty class"));
        while (at < expression.length()) {
            char c = expression.charAt(at++);
            if (c == ']') {
                depth--;
                return;
            } else if (c == '[') {
                if (expression.startsWith(":", at)) {
                    int end = expression.indexOf(":]", at);
                    throwIf(end < 0, () -> refused("a class without ']'"));
                    at = end + 2;
                } else {
                    characterClass();
                }
            } else if (c == '\\' && !escape()) {
                throw refused("an anchor inside a class");
            }
        }
        throw refused("a '[' without ']'");
    }

    /** Reads what follows a backslash; false for an anchor. */
    private boolean escape() {
        throwIf(at >= expression.length(), () -> refused("a backslash at the end"));
        char c = expression.charAt(at++);
        if ("bBAzZ".indexOf(c) >= 0) {
            return false;
        }
        if (c == 'p' || c == 'P') {
            int end = expression.startsWith("{", at) ? expression.indexOf('}', at) : -1;
            throwIf(end < 0 || !expression.substring(at + 1, end).matches("\\^?[A-Za-z_ ]{1,40}"), () -> refused("a property without a name"));
            at = end + 1;
        } else if (c == 'x' || c == 'u') {
            String code = c == 'u' ? "[0-9A-Fa-f]{4}" : "\\{[0-9A-Fa-f]{1,6}\\}|[0-7][0-9A-Fa-f]";
            int end = c == 'u' ? at + 4 : expression.startsWith("{", at) ? expression.indexOf('}', at) + 1 : at + 2;
            throwIf(end <= at || end > expression.length() || !expression.substring(at, end).matches(code),
                    () -> refused("a character code that is none"));
            at = end;
        } else if (c < 128 && Character.isLetterOrDigit(c) && "tnrfvsSdDwWhH".indexOf(c) < 0) {
            throw refused("'\\" + c + "', which no published tokenizer needs");
        }
        return true;
    }

    private boolean take(char c) {
        if (at < expression.length() && expression.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private IllegalArgumentException refused(String what) {
        return new IllegalArgumentException("has " + what + " at character " + at);
    }
}
