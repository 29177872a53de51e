package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Sequence.PyList;
import io.github.bts4j.core.chat.jinja.Sequence.PyTuple;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Expressions to code. */
final class ExpressionCompiler {
    private static final Set<String> CONTEXTUAL = Set.of("map", "select", "reject", "selectattr", "rejectattr", "random");

    private final CallCompiler calls = new CallCompiler(this);
    private int depth;
    private int deepest;

    /** A whole expression: it takes as many levels of the budget's depth as it nests. */
    Code root(Expression expression, Frame frame) {
        int outerDeepest = deepest;
        deepest = 0;
        depth = 0;
        Code code = compile(expression, frame);
        int levels = deepest;
        deepest = outerDeepest;
        if (levels <= 2) {
            return code;
        }
        return (run, locals) -> {
            run.budget().enter(levels);
            Object value = code.eval(run, locals);
            run.budget().leave(levels);
            return value;
        };
    }

    Code compile(Expression expression, Frame frame) {
        depth++;
        deepest = Math.max(deepest, depth);
        Code code = node(expression, frame);
        depth--;
        return code;
    }

    private Code node(Expression expression, Frame frame) {
        if (expression instanceof Expression.Const constant) {
            return (run, locals) -> constant.value();
        }
        if (expression instanceof Expression.Name name) {
            return name(name, frame);
        }
        if (expression instanceof Expression.Tuple tuple) {
            Code[] items = all(tuple.items(), frame);
            return (run, locals) -> new PyTuple(evaluated(items, run, locals));
        }
        if (expression instanceof Expression.ListLiteral list) {
            Code[] items = all(list.items(), frame);
            return (run, locals) -> new PyList(evaluated(items, run, locals));
        }
        if (expression instanceof Expression.DictLiteral dict) {
            return dict(dict, frame);
        }
        if (expression instanceof Expression.Conditional conditional) {
            return conditional(conditional, frame.softened());
        }
        if (expression instanceof Expression.Logical logical) {
            return logical(logical, frame);
        }
        return operation(expression, frame);
    }

    private Code operation(Expression expression, Frame frame) {
        if (expression instanceof Expression.Unary unary) {
            Code operand = compile(unary.operand(), frame);
            Code code = (run, locals) -> Operators.unary(run, unary.operator(), operand.eval(run, locals));
            return code.at(unary.place());
        }
        if (expression instanceof Expression.Binary binary) {
            Code left = compile(binary.left(), frame);
            Code right = compile(binary.right(), frame);
            if (binary.operator().equals("**") && isConstant(binary.left()) && !isConstant(binary.right())) {
                return power(left, right).at(binary.place());
            }
            Code code = (run, locals) -> {
                run.budget().step();
                return Operators.binary(run, binary.operator(), left.eval(run, locals), right.eval(run, locals));
            };
            return code.at(binary.place());
        }
        if (expression instanceof Expression.Comparison comparison) {
            return comparison(comparison, frame).at(comparison.place());
        }
        if (expression instanceof Expression.Concatenation concatenation) {
            return concatenation(concatenation, frame).at(concatenation.place());
        }
        return postfix(expression, frame).at(expression.place());
    }

    /** A constant to some power: jinja2 writes a negative one without parentheses, so that Python's {@code -} comes after {@code **}. */
    private static Code power(Code constant, Code exponent) {
        return (run, locals) -> {
            Object base = constant.eval(run, locals);
            boolean negative = Types.isNumber(base) && (base instanceof Double number ? number < 0 || 1 / number < 0 : Numbers.integer(base).signum() < 0);
            Object power = Operators.binary(run, "**", negative ? Operators.unary(run, "-", base) : base, exponent.eval(run, locals));
            return negative ? Operators.unary(run, "-", power) : power;
        };
    }

    private Code postfix(Expression expression, Frame frame) {
        if (expression instanceof Expression.Attribute attribute) {
            Code object = compile(attribute.object(), frame);
            return (run, locals) -> {
                run.budget().step();
                return Members.attribute(run, object.eval(run, locals), attribute.name());
            };
        }
        if (expression instanceof Expression.Item item) {
            return item(item, frame);
        }
        if (expression instanceof Expression.Slice slice) {
            throw Fault.syntax("a slice cannot be part of an expression here", slice.place());
        }
        if (expression instanceof Expression.Call call) {
            return calls.call(call, frame);
        }
        if (expression instanceof Expression.Filter filter) {
            return calls.filter(filter, frame, null);
        }
        if (expression instanceof Expression.Test test) {
            return calls.test(test, frame);
        }
        throw Fault.syntax("an assignment target where a value belongs", expression.place());
    }

    static List<Object> evaluated(Code[] codes, Run run, Locals locals) {
        run.budget().elements(codes.length);
        List<Object> values = new ArrayList<>(codes.length);
        for (Code code : codes) {
            values.add(code.eval(run, locals));
        }
        return values;
    }

    Code[] all(List<Expression> expressions, Frame frame) {
        return expressions.stream().map(expression -> compile(expression, frame)).toArray(Code[]::new);
    }

    private static Code name(Expression.Name name, Frame frame) {
        String reference = frame.symbols().reference(name.name());
        throwIf(reference == null,
                () -> Fault.syntax("Tried to resolve a name to a reference that was unknown to the frame (" + Repr.text(name.name()) + ")", name.place()));
        FunctionScope.Variable variable = frame.scope().read(reference);
        return (run, locals) -> {
            run.budget().step();
            Object value = variable.get(locals);
            return value == Arguments.MISSING ? Undefined.name(name.name()) : value;
        };
    }

    private Code dict(Expression.DictLiteral dict, Frame frame) {
        Code[] keys = all(dict.keys(), frame);
        Code[] values = all(dict.values(), frame);
        Code code = (run, locals) -> {
            PyDict created = new PyDict();
            for (int i = 0; i < keys.length; i++) {
                created.put(run.budget(), keys[i].eval(run, locals), values[i].eval(run, locals));
            }
            return created;
        };
        return code.at(dict.place());
    }

    private Code conditional(Expression.Conditional conditional, Frame frame) {
        Code test = compile(conditional.test(), frame);
        Code then = compile(conditional.then(), frame);
        Code otherwise = conditional.otherwise() == null ? null : compile(conditional.otherwise(), frame);
        String message = "the inline if-expression on line " + conditional.place().line() + " evaluated to false and no else section was defined.";
        return (run, locals) -> Types.truth(test.eval(run, locals)) ? then.eval(run, locals)
                : otherwise == null ? Undefined.because(message) : otherwise.eval(run, locals);
    }

    private Code logical(Expression.Logical logical, Frame frame) {
        Code left = compile(logical.left(), frame);
        Code right = compile(logical.right(), frame);
        return (run, locals) -> {
            Object value = left.eval(run, locals);
            return Types.truth(value) == logical.or() ? value : right.eval(run, locals);
        };
    }

    private Code comparison(Expression.Comparison comparison, Frame frame) {
        Code[] operands = all(comparison.operands(), frame);
        String[] operators = comparison.operators().toArray(String[]::new);
        return (run, locals) -> {
            Object left = operands[0].eval(run, locals);
            for (int i = 0; i < operators.length; i++) {
                Object right = operands[i + 1].eval(run, locals);
                if (!Operators.compare(run, operators[i], left, right)) {
                    return false;
                }
                left = right;
            }
            return true;
        };
    }

    private Code concatenation(Expression.Concatenation concatenation, Frame frame) {
        Code[] parts = all(concatenation.parts(), frame);
        return (run, locals) -> {
            Object[] values = new Object[parts.length];
            boolean markup = false;
            for (int i = 0; i < parts.length; i++) {
                values[i] = parts[i].eval(run, locals);
                markup |= run.autoescape() && values[i] instanceof Markup;
            }
            StringBuilder text = new StringBuilder();
            for (Object value : values) {
                String part = markup ? MarkupMethods.escape(run, value).text() : Repr.str(run, value);
                run.budget().text(part.length());
                text.append(part);
            }
            return markup ? new Markup(text.toString()) : text.toString();
        };
    }

    private Code item(Expression.Item item, Frame frame) {
        Code object = compile(item.object(), frame);
        if (item.key() instanceof Expression.Slice slice) {
            Code start = optional(slice.start(), frame);
            Code stop = optional(slice.stop(), frame);
            Code step = optional(slice.step(), frame);
            boolean folded = isConstant(item.object()) && isConstant(slice);
            return (run, locals) -> {
                Object sliced = object.eval(run, locals);
                Object[] bounds = {start.eval(run, locals), stop.eval(run, locals), step.eval(run, locals)};
                return folded ? foldedSlice(run, sliced, bounds) : Operators.slice(run, sliced, bounds[0], bounds[1], bounds[2]);
            };
        }
        Code key = compile(item.key(), frame);
        return (run, locals) -> {
            run.budget().step();
            return Members.item(run, object.eval(run, locals), key.eval(run, locals));
        };
    }

    /** Whether jinja2 computes this when it compiles. */
    private static boolean isConstant(Expression expression) {
        boolean known = !(expression instanceof Expression.Name) && !(expression instanceof Expression.Call)
                && !(expression instanceof Expression.Filter filter && CONTEXTUAL.contains(filter.name()));
        return expression == null || known && Names.children(expression).stream().allMatch(ExpressionCompiler::isConstant);
    }

    /** A slice that jinja2 computes when it compiles: by another way, on which what has no slices is undefined. */
    private static Object foldedSlice(Run run, Object sliced, Object[] bounds) {
        try {
            return Operators.slice(run, sliced, bounds[0], bounds[1], bounds[2]);
        } catch (Fault e) {
            if (e.kind() != Fault.Kind.TYPE) {
                throw e;
            }
            return Undefined.because("there is no such element");
        }
    }

    private Code optional(Expression expression, Frame frame) {
        return expression == null ? (run, locals) -> null : compile(expression, frame);
    }

    /** The call of a call block: what is called, and its arguments. */
    CallCompiler.CalledCode called(Expression.Call call, Frame frame) {
        return calls.called(call, frame);
    }

    /** A filter; {@code block} gives the operand of the innermost filter of a filter block. */
    Code filter(Expression.Filter filter, Frame frame, Code block) {
        return calls.filter(filter, frame, block);
    }
}
