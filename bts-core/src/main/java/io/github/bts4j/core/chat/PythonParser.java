package io.github.bts4j.core.chat;

import com.hubspot.jinjava.el.ext.AstTuple;
import com.hubspot.jinjava.el.ext.CollectionMembershipOperator;
import com.hubspot.jinjava.el.ext.ExtendedParser;
import com.hubspot.jinjava.el.ext.NamedParameterOperator;
import com.hubspot.jinjava.objects.collections.PyList;
import io.github.bts4j.core.chat.PythonComparison.Operator;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import jinjava.de.odysseus.el.tree.Bindings;
import jinjava.de.odysseus.el.tree.impl.Builder;
import jinjava.de.odysseus.el.tree.impl.Scanner.ScanException;
import jinjava.de.odysseus.el.tree.impl.Scanner.Symbol;
import jinjava.de.odysseus.el.tree.impl.Scanner.Token;
import jinjava.de.odysseus.el.tree.impl.ast.AstBracket;
import jinjava.de.odysseus.el.tree.impl.ast.AstDot;
import jinjava.de.odysseus.el.tree.impl.ast.AstNode;
import jinjava.de.odysseus.el.tree.impl.ast.AstParameters;
import jinjava.de.odysseus.el.tree.impl.ast.AstUnary;
import jinjava.javax.el.ELContext;

/**
 * Jinjava's parser with jinja2's grammar from {@code not} down to filters and tests.
 *
 * <p>{@code not} binds weaker than comparisons, all comparisons are of one rank and chain, and filters and tests follow each other in any order. As in jinja2,
 * {@code a eq b}, {@code a is == b} and {@code a == not b} are errors. Jinjava's remain, among others: no comma after the last element of a list or tuple, no empty
 * tuple, no dict of several keys directly within parentheses, and {@code a is defined if b}, which jinja2 refuses.
 */
final class PythonParser extends ExtendedParser {
    private static final Set<Symbol> NAMES = EnumSet.of(Symbol.IDENTIFIER, Symbol.TRUE, Symbol.FALSE);
    private static final Set<Symbol> WORDS = EnumSet.of(Symbol.EQ, Symbol.NE, Symbol.LT, Symbol.LE, Symbol.GT, Symbol.GE);

    PythonParser(Builder context, String expression) {
        super(context, expression);
    }

    /** A named argument takes a whole expression: {@code f(found=not a in b)}. */
    @Override
    protected AstNode expr(boolean required) throws ScanException, ParseException {
        if (getToken().getSymbol() == Symbol.IDENTIFIER && lookahead(0) == NamedParameterOperator.TOKEN) {
            AstNode name = identifier(consumeToken().getImage());
            return getExtensionHandler(consumeToken()).createAstNode(name, expr(true));
        }
        return super.expr(required);
    }

    @Override
    protected AstNode eq(boolean required) throws ScanException, ParseException {
        if (isNot(getToken())) {
            consumeToken();
            return createAstUnary(eq(true), AstUnary.NOT);
        }
        return cmp(required);
    }

    @Override
    protected AstNode cmp(boolean required) throws ScanException, ParseException {
        AstNode first = add(required);
        List<Operator> operators = new ArrayList<>();
        List<AstNode> operands = new ArrayList<>();
        for (Operator operator = operator(first); operator != null; operator = operator(first)) {
            operators.add(operator);
            operands.add(add(true));
        }
        if (operators.isEmpty()) {
            return first;
        }
        operands.add(0, first);
        return new PythonComparison(operands, operators);
    }

    /** Takes a comparison's sign, if one follows; null otherwise. */
    private Operator operator(AstNode left) throws ScanException, ParseException {
        Token token = getToken();
        Operator operator = left == null ? null : switch (token.getSymbol()) {
            case EQ, NE, LT, LE, GT, GE -> sign(token.getImage());
            case NOT -> isNot(token) && isIn(lookahead(0)) ? Operator.NOT_IN : null;
            default -> isIn(token) ? Operator.IN : null;
        };
        if (operator != null) {
            consumeToken();
        }
        if (operator == Operator.NOT_IN) {
            consumeToken();
        }
        return operator;
    }

    /** Words such as {@code eq} are tests in jinja2. */
    private static Operator sign(String image) {
        for (Operator operator : Operator.values()) {
            if (operator.sign.equals(image)) {
                return operator;
            }
        }
        return null;
    }

    @Override
    protected AstNode unary(boolean required) throws ScanException, ParseException {
        if (isNot(getToken())) {
            fail("a value");
        }
        return super.unary(required);
    }

    @Override
    protected AstNode filter(boolean required) throws ScanException, ParseException {
        AstNode value = unary(required);
        while (value != null) {
            if (getToken().getSymbol() == Symbol.EXTENSION && "|".equals(getToken().getImage()) && lookahead(0).getSymbol() == Symbol.IDENTIFIER) {
                consumeToken();
                String name = consumeToken().getImage();
                value = call(FILTER_PREFIX + name, "filter", value, getToken().getSymbol() == Symbol.LPAREN ? children(params()) : List.of());
            } else if (isIs(getToken())) {
                value = test(value);
            } else {
                break;
            }
        }
        return value;
    }

    private AstNode test(AstNode value) throws ScanException, ParseException {
        consumeToken();
        boolean negated = isNot(getToken());
        if (negated) {
            consumeToken();
        }
        Token token = getToken();
        boolean word = WORDS.contains(token.getSymbol()) && Character.isLetter(token.getImage().charAt(0));
        if (!NAMES.contains(token.getSymbol()) && !word && !isIn(token)) {
            fail("the name of a test");
        }
        String name = consumeToken().getImage();
        List<AstNode> arguments = arguments();
        if (PythonPresence.isTest(name) && arguments.isEmpty()) {
            AstNode presence = PythonPresence.of(value, name);
            return negated ? createAstUnary(presence, AstUnary.NOT) : presence;
        }
        Operator operator = PythonTest.operator(name);
        if (operator == null || arguments.size() != 1) {
            return call(EXPTEST_PREFIX + name, negated ? "evaluateNegated" : "evaluate", value, arguments);
        }
        AstNode comparison = new PythonComparison(List.of(value, arguments.get(0)), List.of(operator));
        return negated ? createAstUnary(comparison, AstUnary.NOT) : comparison;
    }

    /** What follows a test's name: arguments in parentheses, one value without an operator, or nothing. */
    private List<AstNode> arguments() throws ScanException, ParseException {
        if (getToken().getSymbol() == Symbol.LPAREN) {
            return children(params());
        }
        if (isIs(getToken()) || isIn(getToken()) || isNot(getToken())) {
            fail("an argument");
        }
        AstNode argument = value();
        return argument == null ? List.of() : List.of(argument);
    }

    private AstNode call(String object, String method, AstNode value, List<AstNode> arguments) {
        List<AstNode> all = new ArrayList<>(List.of(value, interpreter()));
        all.addAll(arguments);
        return createAstMethod(createAstDot(identifier(object), method, true), createAstParameters(all));
    }

    private static List<AstNode> children(AstParameters parameters) {
        List<AstNode> children = new ArrayList<>();
        for (int i = 0; i < parameters.getCardinality(); i++) {
            children.add(parameters.getChild(i));
        }
        return children;
    }

    private static boolean isNot(Token token) {
        return token.getSymbol() == Symbol.NOT && "not".equals(token.getImage());
    }

    private static boolean isIn(Token token) {
        return token == CollectionMembershipOperator.TOKEN;
    }

    private static boolean isIs(Token token) {
        return token.getSymbol() == Symbol.IDENTIFIER && "is".equals(token.getImage());
    }

    @Override
    protected AstDot createAstDot(AstNode owner, String name, boolean lvalue) {
        return new PythonComparison.Dot(owner, name, lvalue, context.isEnabled(Builder.Feature.IGNORE_RETURN_TYPE));
    }

    @Override
    protected AstBracket createAstBracket(AstNode owner, AstNode name, boolean lvalue, boolean strict) {
        return new PythonComparison.Bracket(owner, name, lvalue, strict, context.isEnabled(Builder.Feature.IGNORE_RETURN_TYPE));
    }

    @Override
    protected AstTuple createAstTuple(AstParameters parameters) {
        return new AstTuple(parameters) {
            @Override
            public Object eval(Bindings bindings, ELContext context) {
                return new PythonValues.Tuple(((PyList) super.eval(bindings, context)).toList());
            }
        };
    }
}
