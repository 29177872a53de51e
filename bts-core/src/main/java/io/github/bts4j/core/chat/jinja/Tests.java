package io.github.bts4j.core.chat.jinja;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

/** The tests by name. */
final class Tests {
    /** A test: the value before {@code is}, and what follows the name. Gives what Python's function gives, which may be no boolean. */
    interface Test {
        Object apply(Run run, Object value, Arguments arguments);
    }

    private static final Map<String, Test> TESTS = new HashMap<>();

    static {
        simple("defined", value -> !(value instanceof Undefined));
        simple("undefined", Undefined.class::isInstance);
        simple("none", value -> value == null);
        simple("boolean", Boolean.class::isInstance);
        simple("true", Boolean.TRUE::equals);
        simple("false", Boolean.FALSE::equals);
        simple("integer", BigInteger.class::isInstance);
        simple("float", Double.class::isInstance);
        simple("number", Types::isNumber);
        simple("string", Types::isText);
        simple("mapping", PyDict.class::isInstance);
        simple("iterable", Types::isIterable);
        simple("sequence", value -> Types.isText(value) || value instanceof Sequence || value instanceof PyDict || value instanceof Range
                || value instanceof Bytes || value instanceof Undefined);
        simple("callable", value -> value instanceof Function || value instanceof Undefined);
        simple("escaped", Markup.class::isInstance);
        TESTS.put("lower", (run, value, arguments) -> StringTests.isLower(Repr.str(run, arguments.with(value).bind("test_lower", 1, "value").get(0))));
        TESTS.put("upper", (run, value, arguments) -> StringTests.isUpper(Repr.str(run, arguments.with(value).bind("test_upper", 1, "value").get(0))));
        TESTS.put("odd", (run, value, arguments) -> remainder(run, arguments.with(value).bind("test_odd", 1, "value").get(0), 1));
        TESTS.put("even", (run, value, arguments) -> remainder(run, arguments.with(value).bind("test_even", 1, "value").get(0), 0));
        TESTS.put("divisibleby", (run, value, arguments) -> {
            Arguments.Bound bound = arguments.with(value).bind("test_divisibleby", 2, "value", "num");
            return Comparisons.equal(run, Operators.binary(run, "%", bound.get(0), bound.get(1)), BigInteger.ZERO);
        });
        TESTS.put("filter", (run, value, arguments) -> known(run, arguments.with(value).bind("test_filter", 1, "value").get(0), true));
        TESTS.put("test", (run, value, arguments) -> known(run, arguments.with(value).bind("test_test", 1, "value").get(0), false));
        TESTS.put("sameas", (run, value, arguments) -> {
            Arguments.Bound bound = arguments.with(value).bind("test_sameas", 2, "value", "other");
            return same(bound.get(0), bound.get(1));
        });
        TESTS.put("in", (run, value, arguments) -> {
            Arguments.Bound bound = arguments.with(value).bind("test_in", 2, "value", "seq");
            return Comparisons.contains(run, bound.get(1), bound.get(0));
        });
        compared("==", "==", "eq", "equalto");
        compared("!=", "!=", "ne");
        compared(">", ">", "gt", "greaterthan");
        compared(">=", ">=", "ge");
        compared("<", "<", "lt", "lessthan");
        compared("<=", "<=", "le");
        TESTS.replaceAll((name, test) -> (run, value, arguments) -> {
            run.budget().read(value, arguments);
            return test.apply(run, value, arguments);
        });
    }

    private Tests() {}

    private static void simple(String name, Predicate<Object> test) {
        boolean builtin = name.equals("callable");
        TESTS.put(name, (run, value, arguments) -> {
            Arguments all = arguments.with(value);
            return test.test(builtin ? all.positional(name, 1, 1).get(0) : all.bind("test_" + name, 1, "value").get(0));
        });
    }

    private static void compared(String operator, String... names) {
        for (String name : names) {
            TESTS.put(name, (run, value, arguments) -> {
                Arguments.Bound bound = arguments.with(value).positional(name, 2, 2);
                return Operators.compare(run, operator, bound.get(0), bound.get(1));
            });
        }
    }

    private static Object remainder(Run run, Object value, int expected) {
        Object remainder = Operators.binary(run, "%", value, BigInteger.TWO);
        return Comparisons.equal(run, remainder, BigInteger.valueOf(expected));
    }

    private static boolean known(Run run, Object name, boolean filter) {
        PyDict.canonical(run.budget(), name);
        return Types.isText(name) && (filter ? Filters.named(Types.text(name)) != null : named(Types.text(name)) != null);
    }

    private static boolean same(Object a, Object b) {
        if (a instanceof BigInteger left && b instanceof BigInteger right) {
            return left.equals(right) && left.bitLength() < 9;
        }
        return a == b || a instanceof Boolean && a.equals(b) || a instanceof String && a.equals(b);
    }

    /** The test of a name, null if there is none. */
    static Test named(String name) {
        return TESTS.get(name);
    }
}
