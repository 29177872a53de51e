package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Sequence.PyTuple;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What values are: none is {@code null}, booleans are {@link Boolean}, integers {@link BigInteger}, floats {@link Double}, texts {@link String} or
 * {@link Markup}; the rest are this package's classes.
 */
final class Types {
    private Types() {}

    /** Python's name of a value's type. */
    static String name(Object value) {
        if (value == null) {
            return "NoneType";
        }
        if (value instanceof Lazy lazy) {
            return lazy.typeName();
        }
        if (value instanceof DictView view) {
            return view.typeName();
        }
        if (value instanceof Function function) {
            return function.typeName();
        }
        return switch (value.getClass().getSimpleName()) {
            case "String" -> "str";
            case "BigInteger" -> "int";
            case "Double" -> "float";
            case "Boolean" -> "bool";
            case "PyList" -> "list";
            case "PyTuple" -> "tuple";
            case "PyDict" -> "dict";
            case "Range" -> "range";
            case "Bytes" -> "bytes";
            case "Namespace" -> "TemplateNamespace";
            case "Loop" -> "LoopContext";
            default -> value.getClass().getSimpleName();
        };
    }

    static boolean isText(Object value) {
        return value instanceof String || value instanceof Markup;
    }

    /** The characters of a text. */
    static String text(Object value) {
        return value instanceof Markup markup ? markup.text() : (String) value;
    }

    static boolean isNumber(Object value) {
        return value instanceof BigInteger || value instanceof Double || value instanceof Boolean;
    }

    static boolean truth(Object value) {
        if (value == null || value instanceof Undefined) {
            return false;
        }
        if (value instanceof Boolean bool) {
            return bool;
        }
        if (value instanceof BigInteger number) {
            return number.signum() != 0;
        }
        if (value instanceof Double number) {
            return number != 0;
        }
        return sizeOrNone(value) != 0;
    }

    private static int sizeOrNone(Object value) {
        if (isText(value)) {
            return text(value).length();
        }
        if (value instanceof Sequence sequence) {
            return sequence.items().size();
        }
        if (value instanceof PyDict dict) {
            return dict.size();
        }
        if (value instanceof Range range) {
            return range.size();
        }
        if (value instanceof DictView view) {
            return view.dict().size();
        }
        if (value instanceof Bytes bytes) {
            return bytes.value().length;
        }
        return value instanceof Loop loop ? loop.length() : -1;
    }

    /** The length; of texts in code points. */
    static int length(Object value) {
        int size = isText(value) ? Text.length(text(value)) : value instanceof Undefined ? 0 : sizeOrNone(value);
        throwIf(size < 0, () -> Fault.type("object of type '" + name(value) + "' has no len()"));
        return size;
    }

    static boolean hasLength(Object value) {
        return value instanceof Undefined || sizeOrNone(value) >= 0;
    }

    static boolean isIterable(Object value) {
        return isText(value) || value instanceof Sequence || value instanceof PyDict || value instanceof Range || value instanceof DictView
                || value instanceof Lazy || value instanceof Undefined || value instanceof Bytes || value instanceof Loop;
    }

    /** The elements one by one; of a dict its keys. Each costs a step. */
    static Iterator<Object> iterate(Run run, Object value) {
        Iterator<Object> elements = elements(run, value);
        throwIf(elements == null, () -> Fault.type("'" + name(value) + "' object is not iterable"));
        return elements;
    }

    private static Iterator<Object> elements(Run run, Object value) {
        if (value instanceof Sequence sequence) {
            return sequence.items().iterator();
        }
        if (value instanceof PyDict dict) {
            return dict.keys().iterator();
        }
        if (value instanceof DictView view) {
            return view.items(run.budget()).iterator();
        }
        if (value instanceof Range range) {
            return IntStream.range(0, range.size()).<Object>mapToObj(range::get).iterator();
        }
        if (value instanceof Lazy lazy) {
            return lazy.elements();
        }
        if (value instanceof Undefined) {
            return List.<Object>of().iterator();
        }
        if (value instanceof Loop loop) {
            return loop.pairs();
        }
        if (value instanceof Bytes bytes) {
            return IntStream.range(0, bytes.value().length).<Object>mapToObj(bytes::get).iterator();
        }
        return isText(value) ? text(value).codePoints().<Object>mapToObj(Text::of).iterator() : null;
    }

    /** All elements, as a new list. */
    static List<Object> list(Run run, Object value) {
        Iterator<Object> elements = iterate(run, value);
        if (hasLength(value)) {
            run.budget().elements(value instanceof Range ? 8L * length(value) : length(value));
        }
        List<Object> items = new ArrayList<>();
        while (elements.hasNext()) {
            run.budget().step();
            if ((items.size() & 63) == 0) {
                run.budget().elements(64);
            }
            items.add(elements.next());
        }
        return items;
    }

    static PyTuple tuple(Object... items) {
        return new PyTuple(java.util.Arrays.asList(items));
    }
}
