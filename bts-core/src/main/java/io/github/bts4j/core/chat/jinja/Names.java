package io.github.bts4j.core.chat.jinja;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Walks over statements and expressions and reports every name, in jinja2's order. */
abstract class Names {
    /** A name that is read. */
    void read(String name) { }

    /** A name that is assigned to, or a parameter. */
    void written(String name, Place place) { }

    /** A block; its inside is visited if this gives true. */
    boolean block(Statement.Block block) {
        return true;
    }

    final void statements(List<Statement> statements) {
        statements.forEach(this::statement);
    }

    private void statement(Statement statement) {
        if (statement instanceof Statement.Output output) {
            output.parts().forEach(this::expression);
        } else if (statement instanceof Statement.For loop) {
            target(loop.target());
            expression(loop.iterable());
            statements(loop.body());
            statements(loop.otherwise());
            expression(loop.test());
        } else if (statement instanceof Statement.If condition) {
            for (int i = 0; i < condition.tests().size(); i++) {
                expression(condition.tests().get(i));
                statements(condition.bodies().get(i));
            }
            statements(condition.otherwise());
        } else if (statement instanceof Statement.Assign assign) {
            target(assign.target());
            expression(assign.value());
        } else if (statement instanceof Statement.AssignBlock assign) {
            target(assign.target());
            expression(assign.filter());
            statements(assign.body());
        } else {
            scoped(statement);
        }
    }

    private void scoped(Statement statement) {
        if (statement instanceof Statement.With with) {
            with.targets().forEach(this::target);
            with.values().forEach(this::expression);
            statements(with.body());
        } else if (statement instanceof Statement.Macro macro) {
            signature(macro.signature(), macro.place());
            statements(macro.body());
        } else if (statement instanceof Statement.CallBlock call) {
            expression(call.call());
            signature(call.signature(), call.place());
            statements(call.body());
        } else if (statement instanceof Statement.FilterBlock filter) {
            statements(filter.body());
            expression(filter.filter());
        } else if (statement instanceof Statement.AutoEscape escape) {
            expression(escape.enabled());
            statements(escape.body());
        } else if (statement instanceof Statement.Load load) {
            expression(load.template());
        } else if (statement instanceof Statement.Block block && block(block)) {
            statements(block.body());
        }
    }

    private void signature(Statement.Signature signature, Place place) {
        signature.parameters().forEach(name -> written(name, place));
        signature.defaults().forEach(this::expression);
    }

    private void target(Expression target) {
        if (target instanceof Expression.Name name) {
            written(name.name(), name.place());
        } else if (target instanceof Expression.Tuple tuple) {
            tuple.items().forEach(this::target);
        }
    }

    final void expression(Expression expression) {
        if (expression instanceof Expression.Name name) {
            read(name.name());
        } else if (expression != null) {
            children(expression).forEach(this::expression);
        }
    }

    /** The parts of an expression; null for those that are left out. */
    static List<Expression> children(Expression expression) {
        List<Expression> parts = new java.util.ArrayList<>();
        if (expression instanceof Expression.Tuple tuple) {
            parts.addAll(tuple.items());
        } else if (expression instanceof Expression.ListLiteral list) {
            parts.addAll(list.items());
        } else if (expression instanceof Expression.DictLiteral dict) {
            for (int i = 0; i < dict.keys().size(); i++) {
                parts.add(dict.keys().get(i));
                parts.add(dict.values().get(i));
            }
        } else if (expression instanceof Expression.Conditional conditional) {
            parts.addAll(java.util.Arrays.asList(conditional.test(), conditional.then(), conditional.otherwise()));
        } else if (expression instanceof Expression.Logical logical) {
            parts.addAll(List.of(logical.left(), logical.right()));
        } else if (expression instanceof Expression.Unary unary) {
            parts.add(unary.operand());
        } else if (expression instanceof Expression.Binary binary) {
            parts.addAll(List.of(binary.left(), binary.right()));
        } else if (expression instanceof Expression.Comparison comparison) {
            parts.addAll(comparison.operands());
        } else if (expression instanceof Expression.Concatenation concatenation) {
            parts.addAll(concatenation.parts());
        } else {
            postfix(expression, parts);
        }
        return parts;
    }

    private static void postfix(Expression expression, List<Expression> parts) {
        if (expression instanceof Expression.Attribute attribute) {
            parts.add(attribute.object());
        } else if (expression instanceof Expression.Item item) {
            parts.addAll(List.of(item.object(), item.key()));
        } else if (expression instanceof Expression.Slice slice) {
            parts.addAll(java.util.Arrays.asList(slice.start(), slice.stop(), slice.step()));
        } else if (expression instanceof Expression.Call call) {
            parts.add(call.function());
            arguments(call.arguments(), parts);
        } else if (expression instanceof Expression.Filter filter) {
            parts.add(filter.operand());
            arguments(filter.arguments(), parts);
        } else if (expression instanceof Expression.Test test) {
            parts.add(test.operand());
            arguments(test.arguments(), parts);
        }
    }

    private static void arguments(Expression.CallArguments arguments, List<Expression> parts) {
        parts.addAll(arguments.positional());
        arguments.keywords().forEach(keyword -> parts.add(keyword.value()));
        parts.add(arguments.star());
        parts.add(arguments.doubleStar());
    }

    /** Those of {@code names} that are read before they are written, blocks left out. */
    static Set<String> undeclared(List<Statement> statements, String... names) {
        Set<String> sought = new HashSet<>(List.of(names));
        Set<String> found = new HashSet<>();
        new Names() {
            @Override
            void read(String name) {
                if (sought.contains(name)) {
                    found.add(name);
                }
            }

            @Override
            void written(String name, Place place) {
                if (!found.containsAll(sought)) {
                    sought.remove(name);
                }
            }

            @Override
            boolean block(Statement.Block block) {
                return false;
            }
        }.statements(statements);
        return found;
    }
}
