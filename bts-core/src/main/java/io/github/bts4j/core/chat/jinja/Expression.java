package io.github.bts4j.core.chat.jinja;

import java.util.List;

/** The expressions of a template, named as jinja2's nodes. Each knows where it begins. */
sealed interface Expression {
    /** Where it begins. */
    Place place();

    /** A literal's value, or template text. */
    record Const(Object value, Place place) implements Expression {}

    /** A name that is read. */
    record Name(String name, Place place) implements Expression {}

    /** {@code a.b} as the target of an assignment. */
    record NamespaceReference(String name, String attribute, Place place) implements Expression {}

    /** {@code a, b}. */
    record Tuple(List<Expression> items, Place place) implements Expression {}

    /** {@code [a, b]}. */
    record ListLiteral(List<Expression> items, Place place) implements Expression {}

    /** {@code {a: b}}. */
    record DictLiteral(List<Expression> keys, List<Expression> values, Place place) implements Expression {}

    /** {@code a if test else b}; {@code otherwise} is null if there is none. */
    record Conditional(Expression test, Expression then, Expression otherwise, Place place) implements Expression {}

    /** {@code a or b}, {@code a and b}. */
    record Logical(boolean or, Expression left, Expression right, Place place) implements Expression {}

    /** {@code not a}, {@code -a}, {@code +a}. */
    record Unary(String operator, Expression operand, Place place) implements Expression {}

    /** {@code a + b} and so on. */
    record Binary(String operator, Expression left, Expression right, Place place) implements Expression {}

    /** {@code a < b <= c}: one operand more than operators. */
    record Comparison(List<String> operators, List<Expression> operands, Place place) implements Expression {}

    /** {@code a ~ b ~ c}. */
    record Concatenation(List<Expression> parts, Place place) implements Expression {}

    /** {@code a.b}. */
    record Attribute(Expression object, String name, Place place) implements Expression {}

    /** {@code a[b]}. */
    record Item(Expression object, Expression key, Place place) implements Expression {}

    /** {@code a:b:c} inside of brackets; what is left out is null. */
    record Slice(Expression start, Expression stop, Expression step, Place place) implements Expression {}

    /** {@code a(..)}. */
    record Call(Expression function, CallArguments arguments, Place place) implements Expression {}

    /** {@code a|name(..)}; in a filter block the outermost has no operand (null). */
    record Filter(Expression operand, String name, CallArguments arguments, Place place) implements Expression {}

    /** {@code a is name(..)}. */
    record Test(Expression operand, String name, CallArguments arguments, Place place) implements Expression {}

    /** Arguments as they are written; {@code star} and {@code doubleStar} are null if there are none. */
    record CallArguments(List<Expression> positional, List<Keyword> keywords, Expression star, Expression doubleStar) {
        static final CallArguments NONE = new CallArguments(List.of(), List.of(), null, null);
    }

    /** {@code key=value}. */
    record Keyword(String key, Expression value) {}
}
