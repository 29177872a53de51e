package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Sequence.PyTuple;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;

/** {@code ==}, {@code <} and {@code in} as in Python. */
final class Comparisons {
    private static final int LEVELS = 4;

    private Comparisons() {}

    /** {@code left == right}. */
    static boolean equal(Run run, Object left, Object right) {
        run.budget().step();
        if (left == right) {
            return !(left instanceof Double number && number.isNaN());
        }
        if (Types.isText(left)) {
            return Types.isText(right) && sameText(run, Types.text(left), Types.text(right));
        }
        if (Types.isNumber(left)) {
            return Types.isNumber(right) && sameNumber(left, right);
        }
        if (left instanceof Undefined) {
            return right instanceof Undefined;
        }
        return left != null && right != null && sameObject(run, left, right);
    }

    private static boolean sameText(Run run, String left, String right) {
        run.budget().read(left.length());
        return left.equals(right);
    }

    private static boolean sameNumber(Object left, Object right) {
        if (left instanceof Double a && a.isNaN() || right instanceof Double b && b.isNaN()) {
            return false;
        }
        return compareNumbers(left, right) == 0;
    }

    private static boolean sameObject(Run run, Object left, Object right) {
        if (left instanceof Sequence a && right instanceof Sequence b) {
            return a.getClass() == b.getClass() && a.items().size() == b.items().size() && sameItems(run, a.items(), b.items());
        }
        if (left instanceof PyDict a && right instanceof PyDict b) {
            return a.size() == b.size() && sameEntries(run, a, b);
        }
        if (left instanceof DictView a && right instanceof DictView b && a.kind() != DictView.Kind.VALUES && b.kind() != DictView.Kind.VALUES) {
            return a.dict().size() == b.dict().size() && a.items(run.budget()).stream().allMatch(item -> contains(run, b, item));
        }
        return left instanceof Range a && a.equals(right) || left instanceof Bytes c && c.equals(right);
    }

    private static boolean sameItems(Run run, List<Object> a, List<Object> b) {
        run.budget().enter(LEVELS);
        boolean same = true;
        for (int i = 0; same && i < a.size(); i++) {
            same = a.get(i) == b.get(i) || equal(run, a.get(i), b.get(i));
        }
        run.budget().leave(LEVELS);
        return same;
    }

    private static boolean sameEntries(Run run, PyDict a, PyDict b) {
        run.budget().enter(LEVELS);
        boolean same = true;
        for (PyDict.Entry entry : a.entries()) {
            PyDict.Entry other = b.entry(run.budget(), entry.key());
            same = other != null && (entry.value() == other.value() || equal(run, entry.value(), other.value()));
            if (!same) {
                break;
            }
        }
        run.budget().leave(LEVELS);
        return same;
    }

    /** The order of two numbers, neither NaN. */
    static int compareNumbers(Object left, Object right) {
        if (left instanceof Double || right instanceof Double) {
            double a = left instanceof Double number ? number : 0;
            double b = right instanceof Double number ? number : 0;
            if (left instanceof Double && right instanceof Double) {
                return a == b ? 0 : Double.compare(a, b);
            }
            double only = left instanceof Double ? a : b;
            if (Double.isInfinite(only)) {
                return (only > 0) == (left instanceof Double) ? 1 : -1;
            }
            return decimal(left).compareTo(decimal(right));
        }
        return Numbers.integer(left).compareTo(Numbers.integer(right));
    }

    private static BigDecimal decimal(Object number) {
        return number instanceof Double value ? new BigDecimal(value) : new BigDecimal(Numbers.integer(number));
    }

    /** {@code left operator right} for {@code <}, {@code <=}, {@code >} and {@code >=}. */
    static boolean ordered(Run run, String operator, Object left, Object right) {
        run.budget().step();
        requireDefined(left, right);
        if (Types.isNumber(left) && Types.isNumber(right)) {
            if (left instanceof Double a && a.isNaN() || right instanceof Double b && b.isNaN()) {
                return false;
            }
            return holds(operator, compareNumbers(left, right));
        }
        if (Types.isText(left) && Types.isText(right)) {
            run.budget().read(Types.text(left).length());
            return holds(operator, compareTexts(Types.text(left), Types.text(right)));
        }
        if (left instanceof Sequence a && right instanceof Sequence b && a.getClass() == b.getClass()) {
            return orderedItems(run, operator, a.items(), b.items());
        }
        if (left instanceof DictView a && right instanceof DictView b && a.kind() != DictView.Kind.VALUES && b.kind() != DictView.Kind.VALUES) {
            return operator.startsWith("<") ? isSubset(run, a, b, operator.equals("<")) : isSubset(run, b, a, operator.equals(">"));
        }
        throw Fault.type("'" + operator + "' not supported between instances of '" + Types.name(left) + "' and '" + Types.name(right) + "'");
    }

    private static boolean isSubset(Run run, DictView part, DictView whole, boolean proper) {
        int more = whole.dict().size() - part.dict().size();
        return more >= (proper ? 1 : 0) && part.items(run.budget()).stream().allMatch(item -> contains(run, whole, item));
    }

    static void requireDefined(Object left, Object right) {
        Undefined.refuse(left);
        Undefined.refuse(right);
    }

    private static boolean orderedItems(Run run, String operator, List<Object> a, List<Object> b) {
        run.budget().enter(LEVELS);
        try {
            for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
                if (a.get(i) != b.get(i) && !equal(run, a.get(i), b.get(i))) {
                    return ordered(run, operator, a.get(i), b.get(i));
                }
            }
            return holds(operator, Integer.compare(a.size(), b.size()));
        } finally {
            run.budget().leave(LEVELS);
        }
    }

    private static boolean holds(String operator, int order) {
        return switch (operator) {
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            default -> order >= 0;
        };
    }

    /** By code points, where Java compares UTF-16 units. */
    private static int compareTexts(String left, String right) {
        int length = Math.min(left.length(), right.length());
        for (int i = 0; i < length; i++) {
            char a = left.charAt(i);
            char b = right.charAt(i);
            if (a != b) {
                return Character.isSurrogate(a) == Character.isSurrogate(b) ? Character.compare(a, b) : Character.isSurrogate(a) ? 1 : -1;
            }
        }
        return Integer.compare(left.length(), right.length());
    }

    /** The order that {@code sorted} sorts in: by {@code <} alone. */
    static Comparator<Object> order(Run run) {
        return (left, right) -> ordered(run, "<", left, right) ? -1 : ordered(run, "<", right, left) ? 1 : 0;
    }

    /** {@code item in container}. */
    static boolean contains(Run run, Object container, Object item) {
        run.budget().step();
        if (Types.isText(container)) {
            throwIf(item instanceof Undefined || !Types.isText(item),
                    () -> Fault.type("'in <string>' requires string as left operand, not " + Types.name(item)));
            run.budget().read(Types.text(container).length());
            return Search.indexOf(Types.text(container), Types.text(item), 0) >= 0;
        }
        if (container instanceof PyDict dict) {
            return dict.entry(run.budget(), item) != null;
        }
        if (container instanceof DictView view && view.kind() != DictView.Kind.VALUES) {
            return inView(run, view, item);
        }
        if (container instanceof Range range && (item instanceof BigInteger || item instanceof Boolean)) {
            return range.indexOf(Numbers.integer(item)) >= 0;
        }
        throwIf(!Types.isIterable(container), () -> Fault.type("argument of type '" + Types.name(container) + "' is not iterable"));
        for (Iterator<Object> elements = Types.iterate(run, container); elements.hasNext();) {
            Object element = elements.next();
            if (element == item || equal(run, element, item)) {
                return true;
            }
        }
        return false;
    }

    private static boolean inView(Run run, DictView view, Object item) {
        if (view.kind() == DictView.Kind.KEYS) {
            return view.dict().entry(run.budget(), item) != null;
        }
        if (!(item instanceof PyTuple pair) || pair.items().size() != 2) {
            return false;
        }
        PyDict.Entry entry = view.dict().entry(run.budget(), pair.items().get(0));
        return entry != null && equal(run, entry.value(), pair.items().get(1));
    }
}
