package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Sequence.PyList;
import io.github.bts4j.core.chat.jinja.Sequence.PyTuple;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** The operators of expressions. */
final class Operators {
    private Operators() {}

    static Object binary(Run run, String operator, Object left, Object right) {
        if (Types.isNumber(left) && Types.isNumber(right)) {
            return Numbers.calculate(run.budget(), operator, left, right);
        }
        if (operator.equals("%") && Types.isText(left)) {
            return PercentFormat.format(run, left, right);
        }
        Comparisons.requireDefined(left, right);
        Object result = switch (operator) {
            case "+" -> add(run, left, right);
            case "*" -> Numbers.isInteger(right) ? repeat(run, left, right) : Numbers.isInteger(left) ? repeat(run, right, left) : null;
            default -> null;
        };
        throwIf(result == null,
                () -> Fault.type("unsupported operand type(s) for " + (operator.equals("**") ? "** or pow()" : operator) + ": '" + Types.name(left) + "' and '"
                        + Types.name(right) + "'"));
        return result;
    }

    private static Object add(Run run, Object left, Object right) {
        if (Types.isText(left)) {
            throwIf(!Types.isText(right), () -> Fault.type("can only concatenate str (not \"" + Types.name(right) + "\") to str"));
            return join(run, left, right);
        }
        if (left instanceof Sequence a && right instanceof Sequence b && a.getClass() == b.getClass()) {
            run.budget().elements((long) a.items().size() + b.items().size());
            List<Object> items = new ArrayList<>(a.items());
            items.addAll(b.items());
            return a instanceof PyList ? new PyList(items) : new PyTuple(items);
        }
        return null;
    }

    private static Object join(Run run, Object left, Object right) {
        String a = Types.text(left);
        String b = Types.text(right);
        if (left instanceof Markup || right instanceof Markup) {
            a = left instanceof Markup ? a : Markup.escaped(a);
            b = right instanceof Markup ? b : Markup.escaped(b);
            run.budget().text((long) a.length() + b.length());
            return new Markup(a.concat(b));
        }
        run.budget().text((long) a.length() + b.length());
        return a.concat(b);
    }

    /** {@code sequence * times}, null if it is none. */
    private static Object repeat(Run run, Object sequence, Object times) {
        boolean repeatable = Types.isText(sequence) || sequence instanceof Sequence;
        throwIf(repeatable && Numbers.integer(times).bitLength() > 63, () -> Fault.overflow("cannot fit 'int' into an index-sized integer"));
        BigInteger count = Numbers.integer(times).max(BigInteger.ZERO);
        if (Types.isText(sequence)) {
            String text = Types.text(sequence);
            String repeated = text.repeat(allowed(run, count, text.length(), true));
            return sequence instanceof Markup ? new Markup(repeated) : repeated;
        }
        if (sequence instanceof Sequence list) {
            int copies = allowed(run, count, list.items().size(), false);
            List<Object> items = new ArrayList<>(copies * list.items().size());
            for (int i = 0; i < copies; i++) {
                items.addAll(list.items());
            }
            return list instanceof PyList ? new PyList(items) : new PyTuple(items);
        }
        return null;
    }

    private static int allowed(Run run, BigInteger count, int size, boolean text) {
        if (size == 0) {
            return 0;
        }
        long total = count.bitLength() > 31 ? Long.MAX_VALUE / 16 : count.longValue() * size;
        if (text) {
            run.budget().text(total);
        } else {
            run.budget().elements(total);
        }
        return count.intValue();
    }

    static Object unary(Run run, String operator, Object value) {
        if (operator.equals("not")) {
            return !Types.truth(value);
        }
        Undefined.refuse(value);
        throwIf(!Types.isNumber(value), () -> Fault.type("bad operand type for unary " + operator + ": '" + Types.name(value) + "'"));
        if (value instanceof Double number) {
            return operator.equals("-") ? (Object) (-number) : number;
        }
        BigInteger number = Numbers.integer(value);
        run.budget().steps(number.bitLength() / 64);
        return operator.equals("-") ? number.negate() : number;
    }

    static boolean compare(Run run, String operator, Object left, Object right) {
        return switch (operator) {
            case "==" -> Comparisons.equal(run, left, right);
            case "!=" -> !Comparisons.equal(run, left, right);
            case "in" -> Comparisons.contains(run, right, left);
            case "not in" -> !Comparisons.contains(run, right, left);
            default -> Comparisons.ordered(run, operator, left, right);
        };
    }

    /** {@code value[start:stop:step]}. */
    static Object slice(Run run, Object value, Object start, Object stop, Object step) {
        Undefined.refuse(value);
        boolean text = Types.isText(value);
        if (!text && !(value instanceof Sequence) && !(value instanceof Range) && !(value instanceof Bytes)) {
            throw value instanceof PyDict ? Fault.type("unhashable type: 'slice'") : Fault.type("'" + Types.name(value) + "' object is not subscriptable");
        }
        SliceBounds bounds = SliceBounds.of(start, stop, step, Types.length(value));
        if (text) {
            run.budget().read(Types.text(value).length());
            run.budget().text(bounds.count());
            String part = part(Types.text(value), bounds);
            return value instanceof Markup ? new Markup(part) : part;
        }
        if (value instanceof Range range) {
            BigInteger by = range.step().multiply(BigInteger.valueOf(bounds.step()));
            BigInteger first = range.start().add(range.step().multiply(BigInteger.valueOf(bounds.start())));
            return Range.of(first, range.start().add(range.step().multiply(BigInteger.valueOf(bounds.stop()))), by);
        }
        run.budget().elements(bounds.count());
        if (value instanceof Bytes bytes) {
            byte[] part = new byte[bounds.count()];
            for (int i = 0; i < part.length; i++) {
                part[i] = bytes.value()[bounds.index(i)];
            }
            return new Bytes(part);
        }
        List<Object> items = new ArrayList<>(bounds.count());
        for (int i = 0; i < bounds.count(); i++) {
            items.add(((Sequence) value).items().get(bounds.index(i)));
        }
        return value instanceof PyList ? new PyList(items) : new PyTuple(items);
    }

    private static String part(String text, SliceBounds bounds) {
        if (bounds.step() == 1) {
            return Text.slice(text, bounds.start(), Math.max(bounds.start(), bounds.stop()));
        }
        int[] points = text.codePoints().toArray();
        StringBuilder part = new StringBuilder();
        for (int i = 0; i < bounds.count(); i++) {
            part.appendCodePoint(points[bounds.index(i)]);
        }
        return part.toString();
    }
}
