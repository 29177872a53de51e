package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Step.Signal;

/** Statements that catch what their bodies write: {@code set} with a body, and {@code filter}. */
final class CaptureCompiler {
    private final StatementCompiler statements;
    private final ExpressionCompiler expressions;

    CaptureCompiler(StatementCompiler statements, ExpressionCompiler expressions) {
        this.statements = statements;
        this.expressions = expressions;
    }

    Step assignBlock(Statement.AssignBlock assign, Frame frame) {
        Frame inside = frame.inner();
        new SymbolFinder(inside.symbols()).statements(assign.body());
        Step body = statements.body(assign.body(), inside);
        FilteredCode filter = assign.filter() == null ? null : filtered(assign.filter(), inside);
        Targets targets = Targets.compile(assign.target(), frame);
        Step export = StatementCompiler.export(assign.target(), frame);
        return statements.scoped(inside, (run, locals) -> {
            Rendered rendered = rendered(run, locals, body);
            if (rendered.signal() != Signal.NEXT) {
                return rendered.signal();
            }
            Object value = filter == null ? rendered.value(run) : filter.apply(run, locals, rendered.value(run));
            targets.assign(run, locals, run.autoescape() && !(value instanceof Markup) ? new Markup(Repr.str(run, value)) : value);
            return export.exec(run, locals);
        });
    }

    /** What a body wrote, and how it ended. */
    private record Rendered(String text, Signal signal) {
        Object value(Run run) {
            return run.autoescape() ? new Markup(text) : text;
        }
    }

    private static Rendered rendered(Run run, Locals locals, Step body) {
        Signal[] signal = new Signal[1];
        String text = StatementCompiler.captured(run, () -> signal[0] = body.exec(run, locals));
        return new Rendered(text, signal[0]);
    }

    /** The filters of a filter block. */
    private interface FilteredCode {
        Object apply(Run run, Locals locals, Object value);
    }

    private FilteredCode filtered(Expression.Filter filter, Frame frame) {
        FunctionScope.Variable buffer = frame.scope().write("buffer of " + System.identityHashCode(filter));
        Code code = expressions.filter(filter, frame, (run, locals) -> buffer.get(locals));
        return (run, locals, value) -> {
            buffer.set(locals, value);
            return code.eval(run, locals);
        };
    }

    Step filterBlock(Statement.FilterBlock block, Frame frame) {
        Frame inside = frame.inner();
        SymbolFinder finder = new SymbolFinder(inside.symbols());
        finder.statements(block.body());
        finder.expression(block.filter());
        Step body = statements.body(block.body(), inside);
        FilteredCode filter = filtered(block.filter(), inside);
        return statements.scoped(inside, (run, locals) -> {
            Rendered rendered = rendered(run, locals, body);
            if (rendered.signal() != Signal.NEXT) {
                return rendered.signal();
            }
            run.write(joinable(filter.apply(run, locals, rendered.value(run))));
            return Signal.NEXT;
        });
    }

    /** What is written without {@code str}: texts alone. */
    static String joinable(Object value) {
        throwIf(!Types.isText(value), () -> Fault.type("sequence item: expected str instance, " + Types.name(value) + " found"));
        return Types.text(value);
    }
}
