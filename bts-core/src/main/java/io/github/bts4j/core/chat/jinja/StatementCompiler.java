package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Step.Signal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Statements to steps, with the frames and variables that jinja2's compiler gives them. */
final class StatementCompiler {
    private static final int LEVELS = 3;

    private final ExpressionCompiler expressions = new ExpressionCompiler();
    private final LoopCompiler loops = new LoopCompiler(this, expressions);
    private final CaptureCompiler captures = new CaptureCompiler(this, expressions);
    private final MacroCompiler macros = new MacroCompiler(this, expressions);
    private final Map<String, BlockCode> blocks = new LinkedHashMap<>();

    private StatementCompiler() {}

    /** A whole template. */
    static BlockCode compile(List<Statement> statements) {
        StatementCompiler compiler = new StatementCompiler();
        Frame frame = new Frame(new Symbols(null), new FunctionScope(null), true, false, false);
        return compiler.function(statements, frame);
    }

    private BlockCode function(List<Statement> statements, Frame frame) {
        FunctionScope.Variable self = Names.undeclared(statements, "self").isEmpty() ? null : frame.scope().write(frame.symbols().parameter("self"));
        new SymbolFinder(frame.symbols()).statements(statements);
        Step enter = enter(frame);
        Step body = body(statements, frame);
        frame.scope().seal();
        return (run, context) -> {
            Locals locals = new Locals(frame.scope(), null, context);
            if (self != null) {
                self.set(locals, self(context));
            }
            enter.exec(run, locals);
            body.exec(run, locals);
        };
    }

    private TemplateSelf self(Context context) {
        Map<String, Function> references = new LinkedHashMap<>();
        blocks.forEach((name, block) -> references.put(name, new TemplateSelf.BlockReference((run, arguments) -> {
            arguments.positional(name, 0, 0);
            run.budget().enter(LEVELS);
            String text = captured(run, () -> block.render(run, context));
            run.budget().leave(LEVELS);
            return run.autoescape() ? new Markup(text) : text;
        })));
        return new TemplateSelf(references);
    }

    /** What something writes. */
    static String captured(Run run, Runnable writing) {
        StringBuilder before = run.capture();
        boolean done = false;
        try {
            writing.run();
            done = true;
        } finally {
            if (!done) {
                run.restore(before);
            }
        }
        return run.captured(before);
    }

    /** The beginning of a frame: its variables get their first values. */
    Step enter(Frame frame) {
        List<Step> steps = new ArrayList<>();
        frame.symbols().loads().forEach((name, load) -> {
            if (load.begin() == Symbols.Begin.PARAMETER) {
                return;
            }
            FunctionScope.Variable variable = frame.scope().write(name);
            FunctionScope.Variable source = load.begin() == Symbols.Begin.ALIAS ? frame.scope().read(load.from()) : null;
            steps.add((run, locals) -> {
                variable.set(locals, switch (load.begin()) {
                    case RESOLVE -> locals.context().resolve(load.from());
                    case ALIAS -> source.get(locals);
                    default -> Arguments.MISSING;
                });
                return Signal.NEXT;
            });
        });
        return sequence(steps);
    }

    /** The end of a frame: its variables are gone. */
    Step leave(Frame frame) {
        List<FunctionScope.Variable> variables = frame.symbols().loads().keySet().stream().map(frame.scope()::write).toList();
        return (run, locals) -> {
            variables.forEach(variable -> variable.set(locals, Arguments.MISSING));
            return Signal.NEXT;
        };
    }

    /** What runs in a frame: the frame's variables begin before it and are gone after it, unless it ends the loop around it. */
    Step scoped(Frame frame, Step content) {
        Step enter = enter(frame);
        Step leave = leave(frame);
        return (run, locals) -> {
            enter.exec(run, locals);
            Signal signal = content.exec(run, locals);
            return signal == Signal.NEXT ? leave.exec(run, locals) : signal;
        };
    }

    private static Step sequence(List<Step> steps) {
        Step[] all = steps.toArray(Step[]::new);
        return (run, locals) -> {
            for (Step step : all) {
                Signal signal = step.exec(run, locals);
                if (signal != Signal.NEXT) {
                    return signal;
                }
            }
            return Signal.NEXT;
        };
    }

    Step body(List<Statement> statements, Frame frame) {
        Step body = sequence(statements.stream().map(statement -> step(statement, frame)).toList());
        return (run, locals) -> {
            run.budget().enter(LEVELS);
            Signal signal = body.exec(run, locals);
            run.budget().leave(LEVELS);
            return signal;
        };
    }

    private Step step(Statement statement, Frame frame) {
        Step step = compile(statement, frame);
        return (run, locals) -> {
            run.budget().step();
            try {
                return step.exec(run, locals);
            } catch (Fault e) {
                throw e.at(statement.place());
            }
        };
    }

    private Step compile(Statement statement, Frame frame) {
        if (statement instanceof Statement.Output output) {
            return sequence(output.parts().stream().map(part -> output(part, frame)).toList());
        }
        if (statement instanceof Statement.If condition) {
            return condition(condition, frame.softened());
        }
        if (statement instanceof Statement.For loop) {
            return loops.compile(loop, frame);
        }
        if (statement instanceof Statement.Assign assign) {
            return assign(assign, frame);
        }
        if (statement instanceof Statement.AssignBlock assign) {
            return captures.assignBlock(assign, frame);
        }
        if (statement instanceof Statement.With with) {
            return with(with, frame);
        }
        if (statement instanceof Statement.Macro macro) {
            return macros.macro(macro, frame);
        }
        if (statement instanceof Statement.CallBlock call) {
            return macros.callBlock(call, frame);
        }
        return rare(statement, frame);
    }

    private Step rare(Statement statement, Frame frame) {
        if (statement instanceof Statement.FilterBlock filter) {
            return captures.filterBlock(filter, frame);
        }
        if (statement instanceof Statement.AutoEscape escape) {
            return autoEscape(escape, frame);
        }
        if (statement instanceof Statement.Block block) {
            return block(block, frame);
        }
        if (statement instanceof Statement.Load load) {
            return load(load, frame);
        }
        boolean isBreak = statement instanceof Statement.Break;
        throwIf(!frame.inLoop(), () -> Fault.syntax(isBreak ? "'break' outside loop" : "'continue' not properly in loop", statement.place()));
        Signal signal = isBreak ? Signal.BREAK : Signal.CONTINUE;
        return (run, locals) -> signal;
    }

    private Step output(Expression part, Frame frame) {
        if (part instanceof Expression.Const constant && constant.value() instanceof Markup data) {
            return (run, locals) -> {
                run.write(data.text());
                return Signal.NEXT;
            };
        }
        Code code = expressions.root(part, frame);
        return (run, locals) -> {
            Object value = code.eval(run, locals);
            run.write(run.autoescape() ? MarkupMethods.escape(run, value).text() : Repr.str(run, value));
            return Signal.NEXT;
        };
    }

    private Step condition(Statement.If condition, Frame frame) {
        Code[] tests = condition.tests().stream().map(test -> expressions.root(test, frame)).toArray(Code[]::new);
        Step[] bodies = condition.bodies().stream().map(body -> body(body, frame)).toArray(Step[]::new);
        Step otherwise = body(condition.otherwise(), frame);
        return (run, locals) -> {
            for (int i = 0; i < tests.length; i++) {
                run.budget().step();
                if (Types.truth(tests[i].eval(run, locals))) {
                    return bodies[i].exec(run, locals);
                }
            }
            return otherwise.exec(run, locals);
        };
    }

    /** At the top level, makes what was assigned known to blocks and macros. */
    static Step export(Expression target, Frame frame) {
        List<Step> steps = new ArrayList<>();
        if (frame.topLevel()) {
            new Names() {
                @Override
                void read(String name) {
                    export(name, frame, steps);
                }

                @Override
                void written(String name, Place place) {
                    export(name, frame, steps);
                }
            }.expression(target);
        }
        return sequence(steps);
    }

    static void export(String name, Frame frame, List<Step> steps) {
        FunctionScope.Variable variable = frame.scope().read(frame.symbols().reference(name));
        steps.add((run, locals) -> {
            locals.context().set(name, variable.get(locals));
            return Signal.NEXT;
        });
    }

    private Step assign(Statement.Assign assign, Frame frame) {
        List<Targets.Attribute> attributes = new ArrayList<>();
        Targets targets = Targets.compile(assign.target(), frame);
        attributes(targets, attributes);
        Code value = expressions.root(assign.value(), frame);
        Step export = export(assign.target(), frame);
        return (run, locals) -> {
            attributes.forEach(attribute -> attribute.check(locals));
            targets.assign(run, locals, value.eval(run, locals));
            return export.exec(run, locals);
        };
    }

    private static void attributes(Targets targets, List<Targets.Attribute> found) {
        if (targets instanceof Targets.Attribute attribute) {
            found.add(attribute);
        } else if (targets instanceof Targets.Several several) {
            several.items().forEach(item -> attributes(item, found));
        }
    }

    private Step with(Statement.With with, Frame frame) {
        Frame inside = frame.inner();
        SymbolFinder finder = new SymbolFinder(inside.symbols());
        with.targets().forEach(target -> finder.target(target, true));
        finder.statements(with.body());
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < with.targets().size(); i++) {
            Targets target = Targets.compile(with.targets().get(i), inside);
            Code value = expressions.root(with.values().get(i), frame);
            steps.add((run, locals) -> {
                target.assign(run, locals, value.eval(run, locals));
                return Signal.NEXT;
            });
        }
        steps.add(body(with.body(), inside));
        return scoped(inside, sequence(steps));
    }

    private Step autoEscape(Statement.AutoEscape escape, Frame frame) {
        Frame inside = frame.inner();
        SymbolFinder finder = new SymbolFinder(inside.symbols());
        finder.expression(escape.enabled());
        finder.statements(escape.body());
        Code enabled = expressions.root(escape.enabled(), inside);
        Step body = body(escape.body(), inside);
        return scoped(inside, (run, locals) -> {
            boolean before = run.autoescape();
            run.autoescape(Types.truth(enabled.eval(run, locals)));
            Signal signal = body.exec(run, locals);
            run.autoescape(before);
            return signal;
        });
    }

    private Step block(Statement.Block block, Frame frame) {
        throwIf(blocks.containsKey(block.name()), () -> Fault.syntax("block " + Repr.text(block.name()) + " defined twice", block.place()));
        blocks.put(block.name(), null);
        Frame own = new Frame(new Symbols(null), new FunctionScope(null), false, false, false);
        if (!Names.undeclared(block.body(), "super").isEmpty()) {
            own.symbols().parameter("super");
            own.scope().write("0 super");
        }
        BlockCode code = function(block.body(), own);
        blocks.put(block.name(), code);
        Map<String, FunctionScope.Variable> outer = new LinkedHashMap<>();
        if (block.scoped()) {
            frame.symbols().assigned().forEach((name, reference) -> outer.put(name, frame.scope().read(reference)));
        }
        return (run, locals) -> {
            throwIf(block.required(), () -> Fault.template("Required block " + Repr.text(block.name()) + " not found"));
            Map<String, Object> more = new LinkedHashMap<>();
            outer.forEach((name, variable) -> {
                if (variable.get(locals) != Arguments.MISSING) {
                    more.put(name, variable.get(locals));
                }
            });
            code.render(run, block.scoped() ? locals.context().derived(more) : locals.context());
            return Signal.NEXT;
        };
    }

    private Step load(Statement.Load load, Frame frame) {
        throwIf(load.keyword().equals("extends") && !frame.topLevel(),
                () -> Fault.syntax("cannot use extend from a non top-level scope", load.place()));
        Code template = expressions.root(load.template(), frame);
        return (run, locals) -> {
            template.eval(run, locals);
            throw Fault.type("no loader for this environment specified");
        };
    }
}
