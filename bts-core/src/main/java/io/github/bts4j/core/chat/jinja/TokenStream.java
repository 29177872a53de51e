package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Token.Kind;
import java.util.List;

/** Tokens one after the other, and the limit on how deep they nest. */
final class TokenStream {
    /** As many open brackets as CPython compiles. */
    private static final int MAX_DEPTH = 200;

    private final List<Token> tokens;
    private int position;
    private int depth;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(position);
    }

    Token following() {
        return tokens.get(Math.min(position + 1, tokens.size() - 1));
    }

    Place place() {
        return current().place();
    }

    /** One on, and what was current. */
    Token next() {
        Token token = current();
        if (position < tokens.size() - 1) {
            position++;
        }
        return token;
    }

    boolean skipName(String name) {
        boolean found = current().isName(name);
        if (found) {
            next();
        }
        return found;
    }

    boolean skipOperator(String operator) {
        boolean found = current().isOperator(operator);
        if (found) {
            next();
        }
        return found;
    }

    Token expect(Kind kind) {
        throwIf(!current().is(kind), () -> unexpected(kind.label()));
        return next();
    }

    Token expectOperator(String operator) {
        throwIf(!current().isOperator(operator), () -> unexpected(operator));
        return next();
    }

    Token expectName(String name) {
        throwIf(!current().isName(name), () -> unexpected(name));
        return next();
    }

    /** Items with commas between them up to {@code end}, and that; {@code trailing} allows a comma after the last item. */
    void list(String end, boolean trailing, Runnable item) {
        for (boolean first = true; !current().isOperator(end); first = false) {
            if (!first) {
                expectOperator(",");
            }
            if (first || !trailing || !current().isOperator(end)) {
                item.run();
            }
        }
        expectOperator(end);
    }

    private Fault unexpected(String expected) {
        return current().is(Kind.EOF) ? Fault.syntax("unexpected end of template, expected '" + expected + "'.", place())
                : Fault.syntax("expected token '" + expected + "', got '" + current().describe() + "'", place());
    }

    /** Enters {@code levels} more levels of nesting. */
    void enter(int levels) {
        depth += levels;
        throwIf(depth > MAX_DEPTH, () -> Fault.syntax("is nested deeper than " + MAX_DEPTH + " levels", place()));
    }

    void leave(int levels) {
        depth -= levels;
    }
}
