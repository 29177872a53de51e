package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Calls, filters and tests to code: what takes arguments. */
final class CallCompiler {
    private final ExpressionCompiler expressions;

    CallCompiler(ExpressionCompiler expressions) {
        this.expressions = expressions;
    }

    Code call(Expression.Call call, Frame frame) {
        Code function = expressions.compile(call.function(), frame);
        ArgumentsCode arguments = arguments(call.arguments(), frame);
        return (run, locals) -> invoke(run, function.eval(run, locals), arguments.eval(run, locals));
    }

    /** The call of a call block: what is called, and its arguments. */
    CalledCode called(Expression.Call call, Frame frame) {
        Code function = expressions.root(call.function(), frame);
        ArgumentsCode arguments = arguments(call.arguments(), frame);
        return (run, locals, caller) -> {
            Object callee = function.eval(run, locals);
            Arguments given = arguments.eval(run, locals);
            throwIf(given.named().containsKey("caller"), () -> Fault.type("got multiple values for keyword argument 'caller'"));
            Map<String, Object> named = new LinkedHashMap<>(given.named());
            named.put("caller", caller);
            return invoke(run, callee, new Arguments(given.positional(), named));
        };
    }

    /** The code of a call block's call. */
    interface CalledCode {
        Object eval(Run run, Locals locals, Object caller);
    }

    private static Object invoke(Run run, Object callee, Arguments arguments) {
        run.budget().step();
        Undefined.refuse(callee);
        if (!(callee instanceof Function function)) {
            throw Fault.type("'" + Types.name(callee) + "' object is not callable");
        }
        run.budget().enter(1);
        Object value = function.call(run, arguments);
        run.budget().leave(1);
        return value;
    }

    /** A filter; {@code block} gives the operand of the innermost filter of a filter block. */
    Code filter(Expression.Filter filter, Frame frame, Code block) {
        Code operand = filter.operand() == null ? block
                : filter.operand() instanceof Expression.Filter inner && block != null ? filter(inner, frame, block) : expressions.compile(filter.operand(), frame);
        ArgumentsCode arguments = arguments(filter.arguments(), frame);
        Filters.Filter known = Filters.named(filter.name());
        throwIf(known == null && !frame.soft(), () -> Fault.syntax("No filter named " + Repr.text(filter.name()) + ".", filter.place()));
        return (run, locals) -> {
            run.budget().step();
            Object value = operand.eval(run, locals);
            Arguments given = arguments.eval(run, locals);
            throwIf(known == null, () -> Fault.template("No filter named " + Repr.text(filter.name()) + " found."));
            return known.apply(run, value, given);
        };
    }

    Code test(Expression.Test test, Frame frame) {
        Code operand = expressions.compile(test.operand(), frame);
        ArgumentsCode arguments = arguments(test.arguments(), frame);
        Tests.Test known = Tests.named(test.name());
        throwIf(known == null && !frame.soft(), () -> Fault.syntax("No test named " + Repr.text(test.name()) + ".", test.place()));
        return (run, locals) -> {
            run.budget().step();
            Object value = operand.eval(run, locals);
            Arguments given = arguments.eval(run, locals);
            throwIf(known == null, () -> Fault.template("No test named " + Repr.text(test.name()) + " found."));
            return known.apply(run, value, given);
        };
    }

    /** The code of a call's arguments. */
    interface ArgumentsCode {
        Arguments eval(Run run, Locals locals);
    }

    private ArgumentsCode arguments(Expression.CallArguments arguments, Frame frame) {
        Code[] positional = expressions.all(arguments.positional(), frame);
        List<Expression> values = arguments.keywords().stream().map(Expression.Keyword::value).toList();
        Code[] keywords = expressions.all(values, frame);
        Code star = arguments.star() == null ? null : expressions.compile(arguments.star(), frame);
        Code doubleStar = arguments.doubleStar() == null ? null : expressions.compile(arguments.doubleStar(), frame);
        if (positional.length + keywords.length == 0 && star == null && doubleStar == null) {
            return (run, locals) -> Arguments.NONE;
        }
        return (run, locals) -> {
            List<Object> given = ExpressionCompiler.evaluated(positional, run, locals);
            if (star != null) {
                given.addAll(Types.list(run, star.eval(run, locals)));
            }
            Map<String, Object> named = new LinkedHashMap<>();
            for (int i = 0; i < keywords.length; i++) {
                named.put(arguments.keywords().get(i).key(), keywords[i].eval(run, locals));
            }
            if (doubleStar != null) {
                spread(doubleStar.eval(run, locals), named);
            }
            return new Arguments(given, named);
        };
    }

    private static void spread(Object value, Map<String, Object> named) {
        if (!(value instanceof PyDict dict)) {
            throw Fault.type("argument after ** must be a mapping, not " + Types.name(value));
        }
        for (PyDict.Entry entry : dict.entries()) {
            throwIf(!Types.isText(entry.key()), () -> Fault.type("keywords must be strings"));
            throwIf(named.putIfAbsent(Types.text(entry.key()), entry.value()) != null,
                    () -> Fault.type("got multiple values for keyword argument " + Repr.text(Types.text(entry.key()))));
        }
    }
}
