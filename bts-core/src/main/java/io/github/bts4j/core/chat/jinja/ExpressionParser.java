package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/** Expressions by recursive descent, in the order and with the precedence of jinja2's parser: {@code ~} binds closer than {@code +}, filters closer than signs. */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final TokenStream tokens;
    private final PostfixParser postfixes;

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
        this.postfixes = new PostfixParser(tokens, this);
    }

    /** One expression, with {@code if} or without. */
    Expression expression(boolean conditional) {
        tokens.enter(1);
        Expression expression = conditional ? conditional() : or();
        tokens.leave(1);
        return expression;
    }

    /** One expression, or several with commas between as a tuple, up to the end of a tag, a parenthesis or the name {@code end}. */
    Expression tuple(boolean conditional, boolean parenthesized, String end) {
        return tuple(() -> expression(conditional), parenthesized, end);
    }

    /** What is assigned to. */
    Expression target(boolean namespaces, String end) {
        Place place = tokens.place();
        Expression target = tuple(() -> primary(namespaces), false, end);
        requireAssignable(target, place);
        return target;
    }

    private Expression tuple(Supplier<Expression> item, boolean parenthesized, String end) {
        Place place = tokens.place();
        List<Expression> items = new ArrayList<>();
        boolean tuple = false;
        while (true) {
            if (!items.isEmpty()) {
                tokens.expectOperator(",");
            }
            if (tupleEnds(end)) {
                break;
            }
            items.add(item.get());
            if (!tokens.current().isOperator(",")) {
                break;
            }
            tuple = true;
        }
        if (!tuple && !items.isEmpty()) {
            return items.get(0);
        }
        throwIf(!tuple && !parenthesized, () -> Fault.syntax("Expected an expression, got '" + tokens.current().describe() + "'", tokens.place()));
        return new Expression.Tuple(List.copyOf(items), place);
    }

    private boolean tupleEnds(String end) {
        Token token = tokens.current();
        return token.is(Kind.VARIABLE_END) || token.is(Kind.BLOCK_END) || token.isOperator(")") || end != null && token.isName(end);
    }

    private static void requireAssignable(Expression target, Place place) {
        if (target instanceof Expression.Tuple tuple) {
            tuple.items().forEach(item -> requireAssignable(item, place));
        } else if (!(target instanceof Expression.Name) && !(target instanceof Expression.NamespaceReference)) {
            throw Fault.syntax("can't assign to '" + target.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT) + "'", place);
        }
    }

    private Expression conditional() {
        Place place = tokens.place();
        Expression value = or();
        int levels = 0;
        while (tokens.skipName("if")) {
            tokens.enter(1);
            levels++;
            Expression test = or();
            Expression otherwise = tokens.skipName("else") ? conditional() : null;
            value = new Expression.Conditional(test, value, otherwise, place);
        }
        tokens.leave(levels);
        return value;
    }

    /** {@code a op b op c} from the left; each operator is one level, since evaluation nests as deep. */
    private Expression chain(Supplier<Expression> operand, Set<String> operators, boolean names) {
        Place place = tokens.place();
        Expression left = operand.get();
        int levels = 0;
        while ((names ? tokens.current().is(Kind.NAME) : tokens.current().is(Kind.OPERATOR)) && operators.contains(tokens.current().text())) {
            tokens.enter(1);
            levels++;
            String operator = tokens.next().text();
            Expression right = operand.get();
            left = names ? new Expression.Logical(operator.equals("or"), left, right, place) : new Expression.Binary(operator, left, right, place);
        }
        tokens.leave(levels);
        return left;
    }

    private Expression or() {
        return chain(this::and, Set.of("or"), true);
    }

    private Expression and() {
        return chain(this::not, Set.of("and"), true);
    }

    private Expression not() {
        Place place = tokens.place();
        if (tokens.skipName("not")) {
            tokens.enter(1);
            Expression operand = not();
            tokens.leave(1);
            return new Expression.Unary("not", operand, place);
        }
        return comparison();
    }

    private Expression comparison() {
        Place place = tokens.place();
        List<Expression> operands = new ArrayList<>(List.of(sum()));
        List<String> operators = new ArrayList<>();
        while (true) {
            Token token = tokens.current();
            if (token.is(Kind.OPERATOR) && COMPARISONS.contains(token.text())) {
                operators.add(tokens.next().text());
            } else if (tokens.skipName("in")) {
                operators.add("in");
            } else if (token.isName("not") && tokens.following().isName("in")) {
                tokens.next();
                tokens.next();
                operators.add("not in");
            } else {
                break;
            }
            operands.add(sum());
        }
        return operators.isEmpty() ? operands.get(0) : new Expression.Comparison(operators, operands, place);
    }

    private Expression sum() {
        return chain(this::concatenation, Set.of("+", "-"), false);
    }

    private Expression concatenation() {
        Place place = tokens.place();
        List<Expression> parts = new ArrayList<>(List.of(product()));
        while (tokens.skipOperator("~")) {
            parts.add(product());
        }
        return parts.size() == 1 ? parts.get(0) : new Expression.Concatenation(parts, place);
    }

    private Expression product() {
        return chain(this::power, Set.of("*", "/", "//", "%"), false);
    }

    private Expression power() {
        return chain(() -> unary(true), Set.of("**"), false);
    }

    private Expression unary(boolean filtered) {
        Token token = tokens.current();
        Expression node;
        if (token.isOperator("-") || token.isOperator("+")) {
            tokens.next();
            tokens.enter(1);
            node = new Expression.Unary(token.text(), unary(false), token.place());
            tokens.leave(1);
        } else {
            node = primary(false);
        }
        return postfixes.postfix(node, true, filtered);
    }

    Expression primary(boolean namespaces) {
        Token token = tokens.current();
        return switch (token.kind()) {
            case NAME -> name(tokens.next(), namespaces);
            case STRING -> {
                StringBuilder text = new StringBuilder();
                while (tokens.current().is(Kind.STRING)) {
                    text.append(tokens.next().text());
                }
                yield new Expression.Const(text.toString(), token.place());
            }
            case INTEGER, FLOAT -> new Expression.Const(tokens.next().value(), token.place());
            default -> bracketed(token);
        };
    }

    private Expression bracketed(Token token) {
        throwIf(!token.is(Kind.OPERATOR) || !Set.of("(", "[", "{").contains(token.text()),
                () -> Fault.syntax("unexpected '" + token.describe() + "'", token.place()));
        tokens.enter(1);
        tokens.next();
        Expression node = switch (token.text()) {
            case "(" -> {
                Expression inner = tuple(true, true, null);
                tokens.expectOperator(")");
                yield inner;
            }
            case "[" -> {
                List<Expression> items = new ArrayList<>();
                tokens.list("]", true, () -> items.add(expression(true)));
                yield new Expression.ListLiteral(items, token.place());
            }
            default -> dict(token.place());
        };
        tokens.leave(1);
        return node;
    }

    private Expression name(Token token, boolean namespaces) {
        return switch (token.text()) {
            case "true", "True" -> new Expression.Const(true, token.place());
            case "false", "False" -> new Expression.Const(false, token.place());
            case "none", "None" -> new Expression.Const(null, token.place());
            default -> namespaces && tokens.skipOperator(".")
                    ? new Expression.NamespaceReference(token.text(), tokens.expect(Kind.NAME).text(), token.place())
                    : new Expression.Name(token.text(), token.place());
        };
    }

    private Expression dict(Place place) {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        tokens.list("}", true, () -> {
            keys.add(expression(true));
            tokens.expectOperator(":");
            values.add(expression(true));
        });
        return new Expression.DictLiteral(keys, values, place);
    }

    /** The filter whose name is next; {@code operand} is null in a filter block. */
    Expression.Filter filter(Expression operand) {
        return postfixes.filter(operand);
    }
}
