package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Step.Signal;
import java.util.Iterator;
import java.util.List;

/** For statements. */
final class LoopCompiler {
    private final StatementCompiler statements;
    private final ExpressionCompiler expressions;

    LoopCompiler(StatementCompiler statements, ExpressionCompiler expressions) {
        this.statements = statements;
        this.expressions = expressions;
    }

    Step compile(Statement.For loop, Frame frame) {
        Code iterable = expressions.root(loop.iterable(), frame).at(loop.iterable().place());
        if (!loop.recursive()) {
            Running running = running(loop, frame.inner(), frame.inner(), frame);
            return (run, locals) -> running.run(run, locals, iterable.eval(run, locals), null, 0);
        }
        FunctionScope scope = new FunctionScope(frame.scope());
        Frame body = new Frame(new Symbols(frame.symbols()), scope, false, false, false);
        Frame otherwise = new Frame(new Symbols(frame.symbols()), scope, false, false, false);
        Running running = running(loop, body, otherwise, frame);
        return (run, locals) -> {
            run.write(recursion(running, scope, locals).render(run, iterable.eval(run, locals), 0).toString());
            return Signal.NEXT;
        };
    }

    private static Loop.Recursion recursion(Running running, FunctionScope scope, Locals outer) {
        return new Loop.Recursion() {
            @Override
            public Object render(Run run, Object iterable, int depth) {
                run.budget().enter(6);
                String text = StatementCompiler.captured(run, () -> running.run(run, new Locals(scope, outer, outer.context()), iterable, this, depth));
                run.budget().leave(6);
                return text;
            }
        };
    }

    /** A loop over something. */
    private interface Running {
        Signal run(Run run, Locals locals, Object iterable, Loop.Recursion recursion, int depth);
    }

    private Running running(Statement.For loop, Frame inside, Frame otherwise, Frame frame) {
        refuseAssigningLoop(loop);
        boolean extended = loop.recursive() || !Names.undeclared(loop.body(), "loop").isEmpty() || hasScopedBlock(loop);
        FunctionScope.Variable special = extended ? inside.scope().write(inside.symbols().parameter("loop")) : null;
        SymbolFinder finder = new SymbolFinder(inside.symbols());
        finder.target(loop.target(), true);
        finder.statements(loop.body());
        new SymbolFinder(otherwise.symbols()).statements(loop.otherwise());
        Filtering filtering = loop.test() == null ? null : filtering(loop, inside, frame);
        Targets targets = Targets.compile(loop.target(), inside);
        Step enter = statements.enter(inside);
        Step body = statements.body(loop.body(), inside.looping(true));
        Step leave = statements.leave(inside);
        Step none = loop.otherwise().isEmpty() ? null : statements.scoped(otherwise, statements.body(loop.otherwise(), otherwise));
        return (run, locals, given, recursion, depth) -> {
            Object iterable = filtering == null ? given : filtering.filter(run, locals, given);
            Loop state = extended ? new Loop(run, iterable, recursion, depth) : null;
            Iterator<Object> elements = extended ? null : Types.iterate(run, iterable);
            boolean empty = true;
            while (extended ? state.hasNext() : elements.hasNext()) {
                run.budget().step();
                targets.assign(run, locals, extended ? state.next() : elements.next());
                if (extended) {
                    special.set(locals, state);
                }
                enter.exec(run, locals);
                Signal signal = body.exec(run, locals);
                if (signal == Signal.BREAK) {
                    break;
                }
                empty &= signal == Signal.CONTINUE;
            }
            leave.exec(run, locals);
            return empty && none != null ? none.exec(run, locals) : Signal.NEXT;
        };
    }

    private static void refuseAssigningLoop(Statement.For loop) {
        new Names() {
            @Override
            void written(String name, Place place) {
                throwIf(name.equals("loop"), () -> Fault.syntax("Can't assign to special loop variable in for-loop target", place));
            }
        }.statements(List.of(loop));
    }

    private static boolean hasScopedBlock(Statement.For loop) {
        boolean[] found = new boolean[1];
        new Names() {
            @Override
            boolean block(Statement.Block block) {
                found[0] |= block.scoped();
                return true;
            }
        }.statements(List.of(loop));
        return found[0];
    }

    /** The elements for which the loop's test holds. */
    private interface Filtering {
        Lazy filter(Run run, Locals locals, Object iterable);
    }

    private Filtering filtering(Statement.For loop, Frame inside, Frame frame) {
        FunctionScope scope = new FunctionScope(inside.scope());
        Frame testing = new Frame(new Symbols(frame.symbols()), scope, false, false, false);
        SymbolFinder finder = new SymbolFinder(testing.symbols());
        finder.target(loop.target(), true);
        finder.expression(loop.test());
        Step enter = statements.enter(testing);
        Targets targets = Targets.compile(loop.target(), new Frame(inside.symbols(), scope, false, false, false));
        Code test = expressions.root(loop.test(), testing).at(loop.test().place());
        return (run, locals, iterable) -> {
            Iterator<Object> elements = Types.iterate(run, iterable);
            return Lazy.generator(new Generator() {
                private Locals own;

                @Override
                Object find() {
                    if (own == null) {
                        own = new Locals(scope, locals, locals.context());
                        enter.exec(run, own);
                    }
                    while (elements.hasNext()) {
                        run.budget().step();
                        targets.assign(run, own, elements.next());
                        if (Types.truth(test.eval(run, own))) {
                            return targets.value(own);
                        }
                    }
                    return Arguments.MISSING;
                }
            });
        };
    }
}
