package io.github.bts4j.core.chat;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.exptest.ExpTest;
import io.github.bts4j.core.chat.PythonComparison.Operator;
import java.util.List;
import java.util.Map;
import jinjava.de.odysseus.el.misc.TypeConverter;
import jinjava.javax.el.ELException;

/** A test that is a comparison, for the filters that take a test's name: {@code select('in', [1, 2])}. */
final class PythonTest implements ExpTest {
    private static final Map<String, Operator> OPERATORS = Map.of("eq", Operator.EQUAL, "equalto", Operator.EQUAL, "==", Operator.EQUAL,
            "ne", Operator.UNEQUAL, "!=", Operator.UNEQUAL, "in", Operator.IN);

    private final String name;
    private final Operator operator;

    private PythonTest(String name, Operator operator) {
        this.name = name;
        this.operator = operator;
    }

    static List<ExpTest> all() {
        return OPERATORS.entrySet().stream().<ExpTest>map(test -> new PythonTest(test.getKey(), test.getValue())).toList();
    }

    /** The comparison of this name, or null. */
    static Operator operator(String name) {
        return OPERATORS.get(name);
    }

    @Override
    public String getName() {
        return name;
    }

    @Override
    public boolean evaluate(Object value, JinjavaInterpreter interpreter, Object... arguments) {
        if (arguments.length != 1) {
            throw new ELException("the test '" + name + "' takes one argument, not " + arguments.length);
        }
        return operator.holds(TypeConverter.DEFAULT, value, arguments[0]);
    }
}
