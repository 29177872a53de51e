package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Arguments.Bound;
import java.math.BigInteger;
import java.util.Locale;
import java.util.Map;

/** Filters of numbers. */
final class NumberFilters {
    static final Map<String, Filters.Filter> FILTERS = Map.of(
            "abs", (run, value, arguments) -> abs(arguments.with(value).positional("abs", 1, 1).get(0)),
            "int", NumberFilters::integer,
            "float", NumberFilters::real,
            "round", NumberFilters::round,
            "filesizeformat", NumberFilters::fileSize);

    private NumberFilters() {}

    private static Object abs(Object value) {
        throwIf(!Types.isNumber(value), () -> Fault.type("bad operand type for abs(): '" + Types.name(value) + "'"));
        return value instanceof Double number ? (Object) Math.abs(number) : Numbers.integer(value).abs();
    }

    private static Object integer(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_int", 1, "value", "default", "base");
        Object source = bound.get(0);
        try {
            return Types.isText(source) ? NumberTexts.integer(Types.text(source), bound.clipped(2, 10)) : whole(source);
        } catch (Fault e) {
            if (e.kind() != Fault.Kind.TYPE && e.kind() != Fault.Kind.VALUE) {
                throw e;
            }
        }
        try {
            return Numbers.truncated(real(source));
        } catch (Fault e) {
            if (e.kind() == Fault.Kind.TYPE || e.kind() == Fault.Kind.VALUE || e.kind() == Fault.Kind.OVERFLOW) {
                return bound.get(1, BigInteger.ZERO);
            }
            throw e;
        }
    }

    private static BigInteger whole(Object value) {
        requireNumber(value, "int() argument must be a string, a bytes-like object or a real number, not '");
        return value instanceof Double number ? Numbers.truncated(number) : Numbers.integer(value);
    }

    private static void requireNumber(Object value, String message) {
        Undefined.refuse(value);
        throwIf(!Types.isNumber(value), () -> Fault.type(message + Types.name(value) + "'"));
    }

    /** {@code float(value)}. */
    private static double real(Object value) {
        if (Types.isText(value)) {
            return NumberTexts.real(Types.text(value));
        }
        requireNumber(value, "float() argument must be a string or a real number, not '");
        return Numbers.real(value);
    }

    private static Object real(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_float", 1, "value", "default");
        try {
            return real(bound.get(0));
        } catch (Fault e) {
            if (e.kind() == Fault.Kind.TYPE || e.kind() == Fault.Kind.VALUE) {
                return bound.get(1, 0.0);
            }
            throw e;
        }
    }

    private static Object round(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_round", 1, "value", "precision", "method");
        Object method = bound.get(2, "common");
        boolean known = Types.isText(method) && (method.equals("common") || method.equals("ceil") || method.equals("floor"));
        throwIf(!known, () -> Fault.template("method must be common, ceil or floor"));
        Object number = bound.get(0);
        Object digits = bound.get(1, BigInteger.ZERO);
        if (method.equals("common")) {
            throwIf(!Types.isNumber(number), () -> Fault.type("type " + Types.name(number) + " doesn't define __round__ method"));
            if (digits == null) {
                return number instanceof Double real ? Numbers.round(Numbers.truncated(Math.rint(real)), BigInteger.ZERO) : Numbers.integer(number);
            }
            return Numbers.round(number, Numbers.index(digits));
        }
        Object factor = Operators.binary(run, "**", BigInteger.TEN, digits);
        Object scaled = Operators.binary(run, "*", number, factor);
        requireNumber(scaled, "must be real number, not '");
        BigInteger whole = scaled instanceof Double real ? Numbers.truncated(method.equals("ceil") ? Math.ceil(real) : Math.floor(real)) : Numbers.integer(scaled);
        return Operators.binary(run, "/", whole, factor);
    }

    private static Object fileSize(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_filesizeformat", 1, "value", "binary");
        double bytes = real(bound.get(0));
        boolean binary = bound.truth(1, false);
        double base = binary ? 1024 : 1000;
        if (bytes == 1) {
            return "1 Byte";
        }
        if (bytes < base) {
            return Numbers.truncated(bytes) + " Bytes";
        }
        String prefixes = "kMGTPEZY";
        double unit = base;
        for (int i = 0; i < prefixes.length(); i++) {
            unit *= base;
            if (bytes < unit || i == prefixes.length() - 1) {
                String prefix = prefixes.substring(i, i + 1);
                String special = Floats.special(base * bytes / unit);
                return (special == null ? Floats.fixed(base * bytes / unit, 1, false) : special) + " "
                        + (binary ? prefix.toUpperCase(Locale.ROOT) + "iB" : prefix + "B");
            }
        }
        throw new IllegalStateException("no prefix");
    }
}
