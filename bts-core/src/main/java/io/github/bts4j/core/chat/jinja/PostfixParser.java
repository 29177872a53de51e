package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Expression.CallArguments;
import io.github.bts4j.core.chat.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What follows an expression: subscripts, attributes, calls, filters and tests. */
final class PostfixParser {
    private static final Set<Kind> TEST_ARGUMENTS = Set.of(Kind.NAME, Kind.STRING, Kind.INTEGER, Kind.FLOAT);

    private final TokenStream tokens;
    private final ExpressionParser expressions;

    PostfixParser(TokenStream tokens, ExpressionParser expressions) {
        this.tokens = tokens;
        this.expressions = expressions;
    }

    /** Subscripts and calls, then filters, tests and calls. */
    Expression postfix(Expression operand, boolean subscripts, boolean filtered) {
        Expression node = operand;
        boolean mayBeSubscript = subscripts;
        int levels = 0;
        while (true) {
            Token token = tokens.current();
            tokens.enter(1);
            levels++;
            if (mayBeSubscript && (token.isOperator(".") || token.isOperator("["))) {
                node = subscript(node);
            } else if (token.isOperator("(")) {
                node = new Expression.Call(node, arguments(), token.place());
            } else if (filtered && token.isOperator("|")) {
                mayBeSubscript = false;
                tokens.next();
                node = filter(node);
            } else if (filtered && token.isName("is")) {
                mayBeSubscript = false;
                node = test(node);
            } else {
                break;
            }
        }
        tokens.leave(levels);
        return node;
    }

    private Expression subscript(Expression object) {
        Token token = tokens.next();
        if (token.isOperator(".")) {
            Token attribute = tokens.next();
            if (attribute.is(Kind.NAME)) {
                return new Expression.Attribute(object, attribute.text(), token.place());
            }
            throwIf(!attribute.is(Kind.INTEGER), () -> Fault.syntax("expected name or number", attribute.place()));
            return new Expression.Item(object, new Expression.Const(attribute.value(), attribute.place()), token.place());
        }
        List<Expression> keys = new ArrayList<>();
        tokens.list("]", false, () -> keys.add(subscribed()));
        return new Expression.Item(object, keys.size() == 1 ? keys.get(0) : new Expression.Tuple(keys, token.place()), token.place());
    }

    private Expression subscribed() {
        Place place = tokens.place();
        Expression start = null;
        if (!tokens.current().isOperator(":")) {
            start = expressions.expression(true);
            if (!tokens.current().isOperator(":")) {
                return start;
            }
        }
        tokens.next();
        Expression stop = tokens.current().isOperator(":") ? null : bound();
        Expression step = tokens.skipOperator(":") ? bound() : null;
        return new Expression.Slice(start, stop, step, place);
    }

    private Expression bound() {
        return tokens.current().isOperator("]") || tokens.current().isOperator(",") ? null : expressions.expression(true);
    }

    /** The filter whose name is next; {@code operand} is null in a filter block. */
    Expression.Filter filter(Expression operand) {
        Place place = tokens.place();
        String name = dotted();
        return new Expression.Filter(operand, name, tokens.current().isOperator("(") ? arguments() : CallArguments.NONE, place);
    }

    private String dotted() {
        StringBuilder name = new StringBuilder(tokens.expect(Kind.NAME).text());
        while (tokens.skipOperator(".")) {
            name.append('.').append(tokens.expect(Kind.NAME).text());
        }
        return name.toString();
    }

    private Expression test(Expression operand) {
        Place place = tokens.next().place();
        boolean negated = tokens.skipName("not");
        String name = dotted();
        CallArguments arguments = CallArguments.NONE;
        Token token = tokens.current();
        if (token.isOperator("(")) {
            arguments = arguments();
        } else if ((TEST_ARGUMENTS.contains(token.kind()) || token.isOperator("[") || token.isOperator("{"))
                && !token.isName("else") && !token.isName("or") && !token.isName("and")) {
            throwIf(token.isName("is"), () -> Fault.syntax("You cannot chain multiple tests with is", token.place()));
            arguments = new CallArguments(List.of(postfix(expressions.primary(false), true, false)), List.of(), null, null);
        }
        Expression test = new Expression.Test(operand, name, arguments, place);
        return negated ? new Expression.Unary("not", test, place) : test;
    }

    private CallArguments arguments() {
        Place place = tokens.expectOperator("(").place();
        ArgumentList list = new ArgumentList(place);
        tokens.list(")", true, () -> {
            if (tokens.skipOperator("*")) {
                list.star(expressions.expression(true));
            } else if (tokens.skipOperator("**")) {
                list.doubleStar(expressions.expression(true));
            } else if (tokens.current().is(Kind.NAME) && tokens.following().isOperator("=")) {
                String key = tokens.next().text();
                tokens.next();
                list.keyword(key, expressions.expression(true));
            } else {
                list.positional(expressions.expression(true));
            }
        });
        return list.arguments();
    }
}
