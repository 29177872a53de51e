package io.github.bts4j.core.chat.jinja;

import java.util.List;

/** The statements of a template, named as jinja2's nodes. Lists are their bodies. */
sealed interface Statement {
    /** Where it begins. */
    Place place();

    /** Text and printed expressions. */
    record Output(List<Expression> parts, Place place) implements Statement {}

    /** {@code for target in iterable if test}; test is null if there is none. */
    record For(Expression target, Expression iterable, Expression test, boolean recursive, List<Statement> body, List<Statement> otherwise, Place place)
            implements Statement {}

    /** {@code if}, with one test and body for each {@code elif}. */
    record If(List<Expression> tests, List<List<Statement>> bodies, List<Statement> otherwise, Place place) implements Statement {}

    /** {@code set target = value}. */
    record Assign(Expression target, Expression value, Place place) implements Statement {}

    /** {@code set target | filter} with a body; filter is null if there is none. */
    record AssignBlock(Expression target, Expression.Filter filter, List<Statement> body, Place place) implements Statement {}

    /** {@code with a = b}. */
    record With(List<Expression> targets, List<Expression> values, List<Statement> body, Place place) implements Statement {}

    /** {@code macro name(..)}. */
    record Macro(String name, Signature signature, List<Statement> body, Place place) implements Statement {}

    /** {@code call(..) function(..)}; a generation block has no call (null). */
    record CallBlock(Expression.Call call, Signature signature, List<Statement> body, Place place) implements Statement {}

    /** {@code filter f | g}. */
    record FilterBlock(Expression.Filter filter, List<Statement> body, Place place) implements Statement {}

    /** {@code autoescape on}. */
    record AutoEscape(Expression enabled, List<Statement> body, Place place) implements Statement {}

    /** {@code block name}. */
    record Block(String name, boolean scoped, boolean required, List<Statement> body, Place place) implements Statement {}

    /** {@code include}, {@code import}, {@code extends}: a chat template has no others beside it, so it ends in an error; names are what it would set. */
    record Load(String keyword, Expression template, List<String> names, Place place) implements Statement {}

    /** {@code break}. */
    record Break(Place place) implements Statement {}

    /** {@code continue}. */
    record Continue(Place place) implements Statement {}

    /** Names of parameters, and the defaults of the last of them. */
    record Signature(List<String> parameters, List<Expression> defaults) {}
}
