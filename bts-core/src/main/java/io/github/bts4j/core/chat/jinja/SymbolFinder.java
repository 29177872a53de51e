package io.github.bts4j.core.chat.jinja;

import java.util.ArrayList;
import java.util.List;

/** Enters the names of a frame's statements into its symbols; stops where a statement has a frame of its own. */
final class SymbolFinder {
    private Symbols symbols;

    SymbolFinder(Symbols symbols) {
        this.symbols = symbols;
    }

    void expression(Expression expression) {
        new Names() {
            @Override
            void read(String name) {
                symbols.load(name);
            }

            @Override
            void written(String name, Place place) {
                symbols.store(name);
            }
        }.expression(expression);
    }

    void target(Expression target, boolean parameter) {
        if (target instanceof Expression.Name name) {
            if (parameter) {
                symbols.parameter(name.name());
            } else {
                symbols.store(name.name());
            }
        } else if (target instanceof Expression.NamespaceReference reference) {
            symbols.load(reference.name());
        } else if (target instanceof Expression.Tuple tuple) {
            tuple.items().forEach(item -> target(item, parameter));
        }
    }

    void statements(List<Statement> statements) {
        statements.forEach(this::statement);
    }

    private void statement(Statement statement) {
        if (statement instanceof Statement.Output output) {
            output.parts().forEach(this::expression);
        } else if (statement instanceof Statement.For loop) {
            expression(loop.iterable());
        } else if (statement instanceof Statement.If condition) {
            condition(condition);
        } else if (statement instanceof Statement.Assign assign) {
            expression(assign.value());
            target(assign.target(), false);
        } else if (statement instanceof Statement.AssignBlock assign) {
            target(assign.target(), false);
        } else if (statement instanceof Statement.With with) {
            with.values().forEach(this::expression);
        } else if (statement instanceof Statement.Macro macro) {
            symbols.store(macro.name());
        } else if (statement instanceof Statement.CallBlock call) {
            expression(call.call());
        } else if (statement instanceof Statement.FilterBlock filter) {
            expression(filter.filter());
        } else if (statement instanceof Statement.Load load) {
            expression(load.template());
            load.names().forEach(symbols::store);
        }
    }

    private void condition(Statement.If condition) {
        expression(condition.tests().get(0));
        Symbols outer = symbols;
        List<Symbols> branches = new ArrayList<>();
        symbols = outer.copy();
        statements(condition.bodies().get(0));
        branches.add(symbols);
        symbols = outer.copy();
        for (int i = 1; i < condition.tests().size(); i++) {
            condition(new Statement.If(List.of(condition.tests().get(i)), List.of(condition.bodies().get(i)), List.of(), condition.place()));
        }
        branches.add(symbols);
        symbols = outer.copy();
        statements(condition.otherwise());
        branches.add(symbols);
        symbols = outer;
        symbols.join(branches);
    }

    void signature(Statement.Signature signature) {
        signature.parameters().forEach(symbols::parameter);
        signature.defaults().forEach(this::expression);
    }
}
