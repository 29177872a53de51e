package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Step.Signal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Macros, call blocks and generation blocks. */
final class MacroCompiler {
    private static final int LEVELS = 4;

    private final StatementCompiler statements;
    private final ExpressionCompiler expressions;

    MacroCompiler(StatementCompiler statements, ExpressionCompiler expressions) {
        this.statements = statements;
        this.expressions = expressions;
    }

    Step macro(Statement.Macro macro, Frame frame) {
        Creating creating = creating(macro.name(), macro.signature(), macro.body(), frame, macro.place());
        FunctionScope.Variable variable = frame.scope().write(frame.symbols().reference(macro.name()));
        return (run, locals) -> {
            Macro created = creating.create(locals);
            variable.set(locals, created);
            if (frame.topLevel()) {
                locals.context().set(macro.name(), created);
            }
            return Signal.NEXT;
        };
    }

    Step callBlock(Statement.CallBlock block, Frame frame) {
        Creating creating = creating(null, block.signature(), block.body(), frame, block.place());
        if (block.call() == null) {
            return (run, locals) -> {
                Object text = creating.create(locals).call(run, Arguments.NONE);
                run.generated(Types.text(text).length());
                run.write(Types.text(text));
                return Signal.NEXT;
            };
        }
        CallCompiler.CalledCode call = expressions.called(block.call(), frame);
        return (run, locals) -> {
            run.write(CaptureCompiler.joinable(call.eval(run, locals, creating.create(locals))));
            return Signal.NEXT;
        };
    }

    /** Makes a macro that sees the variables of where it is made. */
    private interface Creating {
        Macro create(Locals locals);
    }

    private Creating creating(String name, Statement.Signature signature, List<Statement> body, Frame outer, Place place) {
        Frame frame = outer.function();
        SymbolFinder finder = new SymbolFinder(frame.symbols());
        finder.signature(signature);
        finder.statements(body);
        Set<String> special = Names.undeclared(body, "caller", "kwargs", "varargs");
        List<String> parameters = signature.parameters();
        List<FunctionScope.Variable> variables = new ArrayList<>();
        parameters.forEach(parameter -> variables.add(frame.scope().write(frame.symbols().reference(parameter))));
        int explicit = parameters.indexOf("caller");
        boolean caller = special.contains("caller");
        throwIf(caller && explicit >= 0 && explicit < parameters.size() - signature.defaults().size(),
                () -> Fault.syntax("When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default.", place));
        boolean named = special.contains("kwargs") && !parameters.contains("kwargs");
        boolean positional = special.contains("varargs") && !parameters.contains("varargs");
        declare(caller && explicit < 0, "caller", frame, variables);
        declare(named, "kwargs", frame, variables);
        declare(positional, "varargs", frame, variables);
        Step enter = statements.enter(frame);
        Step defaults = defaults(signature, frame);
        Step content = statements.body(body, frame);
        return locals -> new Macro(name, parameters, named, positional, caller, (run, values) -> {
            Locals own = new Locals(frame.scope(), locals, locals.context());
            for (int i = 0; i < variables.size(); i++) {
                variables.get(i).set(own, values.get(i));
            }
            run.budget().enter(LEVELS);
            String text = StatementCompiler.captured(run, () -> {
                enter.exec(run, own);
                defaults.exec(run, own);
                content.exec(run, own);
            });
            run.budget().leave(LEVELS);
            return text;
        });
    }

    private static void declare(boolean used, String name, Frame frame, List<FunctionScope.Variable> variables) {
        if (used) {
            variables.add(frame.scope().write(frame.symbols().parameter(name)));
        }
    }

    private Step defaults(Statement.Signature signature, Frame frame) {
        List<Step> steps = new ArrayList<>();
        int without = signature.parameters().size() - signature.defaults().size();
        for (int i = 0; i < signature.parameters().size(); i++) {
            String name = signature.parameters().get(i);
            FunctionScope.Variable variable = frame.scope().write(frame.symbols().reference(name));
            Code value = i < without ? (run, locals) -> Undefined.because("parameter " + Repr.text(name) + " was not provided")
                    : expressions.root(signature.defaults().get(i - without), frame);
            steps.add((run, locals) -> {
                if (variable.get(locals) == Arguments.MISSING) {
                    variable.set(locals, value.eval(run, locals));
                }
                return Signal.NEXT;
            });
        }
        return (run, locals) -> {
            steps.forEach(step -> step.exec(run, locals));
            return Signal.NEXT;
        };
    }
}
