package io.github.bts4j.core.chat;

import java.util.Map;
import java.util.function.Predicate;
import jinjava.de.odysseus.el.tree.Bindings;
import jinjava.de.odysseus.el.tree.impl.ast.AstNode;
import jinjava.de.odysseus.el.tree.impl.ast.AstRightValue;
import jinjava.javax.el.ELContext;

/** The tests {@code is defined}, {@code is undefined} and {@code is none}: a name that holds None is defined, and one without a value is not None. */
final class PythonPresence extends AstRightValue {
    private static final Map<String, Predicate<Object>> TESTS = Map.of(
            "defined", value -> value != PythonValues.UNDEFINED,
            "undefined", value -> value == PythonValues.UNDEFINED,
            "none", value -> value == null);

    private final AstNode value;
    private final String name;

    private PythonPresence(AstNode value, String name) {
        this.value = value;
        this.name = name;
    }

    /** Whether a test is one of these. */
    static boolean isTest(String name) {
        return TESTS.containsKey(name);
    }

    static PythonPresence of(AstNode value, String name) {
        return new PythonPresence(value, name);
    }

    @Override
    public Object eval(Bindings bindings, ELContext context) {
        return TESTS.get(name).test(PythonComparison.operand(value, bindings, context));
    }

    @Override
    public void appendStructure(StringBuilder structure, Bindings bindings) {
        value.appendStructure(structure, bindings);
        structure.append(" is ").append(name);
    }

    @Override
    public String toString() {
        return value + " is " + name;
    }

    @Override
    public int getCardinality() {
        return 1;
    }

    @Override
    public AstNode getChild(int index) {
        return value;
    }
}
