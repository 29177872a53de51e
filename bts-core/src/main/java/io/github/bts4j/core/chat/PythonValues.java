package io.github.bts4j.core.chat;

import com.hubspot.jinjava.objects.Namespace;
import com.hubspot.jinjava.objects.SafeString;
import com.hubspot.jinjava.objects.collections.PyList;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import jinjava.javax.el.ELException;

/**
 * Equality and membership of a template's values as in Python; Java's null is None. What Python refuses is refused in Python's words.
 *
 * <p>Not as in Python, because Jinjava has no such values: a dict's keys are texts ({@code {1: 2}} has the key {@code '1'}), a range and what a filter makes of a
 * list are lists, and so is what is added to a tuple or cut from one.
 */
final class PythonValues {
    /** What a name or an attribute without a value is: jinja2's Undefined. It equals itself only, and nothing is in it. */
    static final Object UNDEFINED = new Object() {
        @Override
        public String toString() {
            return "";
        }
    };

    private static final int MAX_DEPTH = 500;

    private PythonValues() {}

    /** A tuple: equal to no list, and hashable. */
    static final class Tuple extends PyList {
        Tuple(List<Object> elements) {
            super(Collections.unmodifiableList(elements));
        }
    }

    /** Python's {@code left == right}: a truth value is a number, numbers compare exactly, lists, tuples and dicts element by element; nothing is converted. */
    static boolean equal(Object left, Object right) {
        return equal(left, right, 0);
    }

    /**
     * Python's {@code item in container}.
     *
     * @throws ELException if the container is no text, list, tuple, dict or Undefined, a text is asked for what is no text, or a dict for what cannot be a key
     */
    static boolean contains(Object container, Object item) {
        Object within = plain(container);
        if (within == UNDEFINED) {
            return false;
        }
        if (within instanceof CharSequence text) {
            if (plain(item) instanceof CharSequence part) {
                return text.toString().contains(part);
            }
            throw new ELException("'in <string>' requires string as left operand, not " + type(item));
        }
        if (within instanceof Map<?, ?> map && !(within instanceof Namespace)) {
            requireHashable(item, 0);
            return hasKey(map, item);
        }
        if (within instanceof Collection<?> elements) {
            return elements.stream().anyMatch(element -> same(element, item, 0));
        }
        throw new ELException("argument of type '" + type(container) + "' is not iterable");
    }

    private static boolean hasKey(Map<?, ?> map, Object item) {
        Object key = plain(item);
        return key instanceof String text ? map.containsKey(text) : map.keySet().stream().anyMatch(other -> same(other, key, 0));
    }

    private static void requireHashable(Object item, int depth) {
        limit(depth);
        Object key = plain(item);
        if (key instanceof Tuple elements) {
            elements.forEach(element -> requireHashable(element, depth + 1));
        } else if (key instanceof Collection || key instanceof Map && !(key instanceof Namespace)) {
            throw new ELException("unhashable type: '" + type(item) + "'");
        }
    }

    /** Within lists Python asks for identity first: what is not equal to itself is still found. */
    private static boolean same(Object left, Object right, int depth) {
        return left == right || equal(left, right, depth);
    }

    private static boolean equal(Object left, Object right, int depth) {
        limit(depth);
        Object a = plain(left);
        Object b = plain(right);
        if (a == null || b == null || a instanceof Namespace || b instanceof Namespace) {
            return a == b;
        }
        if (a instanceof Number m && b instanceof Number n) {
            return equalNumbers(m, n);
        }
        if (a instanceof List<?> m && b instanceof List<?> n) {
            return a instanceof Tuple == b instanceof Tuple && equalLists(m, n, depth + 1);
        }
        return a instanceof Map<?, ?> m && b instanceof Map<?, ?> n ? equalMaps(m, n, depth + 1) : a.equals(b);
    }

    private static void limit(int depth) {
        if (depth > MAX_DEPTH) {
            throw new ELException("lists or dicts nested more than " + MAX_DEPTH + " deep are not compared");
        }
    }

    private static boolean equalLists(List<?> left, List<?> right, int depth) {
        boolean equal = left.size() == right.size();
        Iterator<?> others = right.iterator();
        for (Iterator<?> elements = left.iterator(); equal && elements.hasNext();) {
            equal = same(elements.next(), others.next(), depth);
        }
        return equal;
    }

    private static boolean equalMaps(Map<?, ?> left, Map<?, ?> right, int depth) {
        return left.size() == right.size()
                && left.entrySet().stream().allMatch(entry -> hasKey(right, entry.getKey()) && same(entry.getValue(), right.get(entry.getKey()), depth));
    }

    private static boolean equalNumbers(Number left, Number right) {
        if (!isInteger(left) && !isInteger(right)) {
            return left.doubleValue() == right.doubleValue();
        }
        return finite(left) && finite(right) && exact(left).compareTo(exact(right)) == 0;
    }

    private static boolean isInteger(Number number) {
        return number instanceof Long || number instanceof Integer || number instanceof BigInteger || number instanceof Short || number instanceof Byte;
    }

    private static boolean finite(Number number) {
        return isInteger(number) || Double.isFinite(number.doubleValue());
    }

    /** A filter's decimal stands for Python's float. */
    private static BigDecimal exact(Number number) {
        return isInteger(number) ? new BigDecimal(number.toString()) : new BigDecimal(number.doubleValue());
    }

    /** In Python a truth value is a number, a text marked as safe is a text, and {@code split} makes a list. */
    private static Object plain(Object value) {
        if (value instanceof Boolean truth) {
            return truth ? 1L : 0L;
        }
        if (value instanceof Object[] array) {
            return Arrays.asList(array);
        }
        return value instanceof SafeString || value instanceof CharSequence || value instanceof Character ? value.toString() : value;
    }

    /** The name of the value's type in Python. */
    private static String type(Object value) {
        if (value == null) {
            return "NoneType";
        }
        if (value == UNDEFINED) {
            return "Undefined";
        }
        if (value instanceof Boolean) {
            return "bool";
        }
        if (value instanceof Number number) {
            return isInteger(number) ? "int" : "float";
        }
        if (plain(value) instanceof String) {
            return "str";
        }
        if (value instanceof Namespace) {
            return "Namespace";
        }
        if (value instanceof Map) {
            return "dict";
        }
        return value instanceof Tuple ? "tuple" : plain(value) instanceof List ? "list" : value.getClass().getSimpleName();
    }
}
