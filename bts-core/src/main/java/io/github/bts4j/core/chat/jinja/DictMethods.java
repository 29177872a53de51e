package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.Iterator;

/** The methods of {@code dict} that change nothing. */
final class DictMethods {
    private DictMethods() {}

    static Object of(PyDict dict, String name) {
        return switch (name) {
            case "get" -> new BoundMethod(name, (run, arguments) -> {
                Arguments.Bound bound = arguments.positional(name, 1, 2);
                PyDict.Entry entry = dict.entry(run.budget(), bound.get(0));
                return entry == null ? bound.get(1, null) : entry.value();
            });
            case "keys" -> view(dict, name, DictView.Kind.KEYS);
            case "values" -> view(dict, name, DictView.Kind.VALUES);
            case "items" -> view(dict, name, DictView.Kind.ITEMS);
            case "copy" -> new BoundMethod(name, (run, arguments) -> {
                arguments.positional(name, 0, 0);
                return copy(run, dict);
            });
            case "fromkeys" -> new BoundMethod(name, DictMethods::fromKeys);
            default -> Arguments.MISSING;
        };
    }

    private static BoundMethod view(PyDict dict, String name, DictView.Kind kind) {
        return new BoundMethod(name, (run, arguments) -> {
            arguments.positional(name, 0, 0);
            return new DictView(kind, dict);
        });
    }

    static PyDict copy(Run run, PyDict dict) {
        PyDict copy = new PyDict();
        dict.entries().forEach(entry -> copy.put(run.budget(), entry.key(), entry.value()));
        return copy;
    }

    static Object fromKeys(Run run, Arguments arguments) {
        Arguments.Bound bound = arguments.positional("fromkeys", 1, 2);
        PyDict dict = new PyDict();
        for (Iterator<Object> keys = Types.iterate(run, bound.get(0)); keys.hasNext();) {
            dict.put(run.budget(), keys.next(), bound.get(1, null));
        }
        return dict;
    }

    /** {@code dict(..)}. */
    static PyDict create(Run run, Arguments arguments) {
        PyDict dict = new PyDict();
        throwIf(arguments.positional().size() > 1, () -> Fault.type("dict expected at most 1 argument, got " + arguments.positional().size()));
        if (!arguments.positional().isEmpty()) {
            fill(run, dict, arguments.positional().get(0));
        }
        arguments.named().forEach((name, value) -> dict.put(run.budget(), name, value));
        return dict;
    }

    private static void fill(Run run, PyDict dict, Object source) {
        if (source instanceof PyDict other) {
            other.entries().forEach(entry -> dict.put(run.budget(), entry.key(), entry.value()));
            return;
        }
        Undefined.refuse(source);
        for (Iterator<Object> pairs = Types.iterate(run, source); pairs.hasNext();) {
            Object pair = pairs.next();
            throwIf(!Types.isIterable(pair), () -> Fault.type("cannot convert dictionary update sequence element to a sequence"));
            java.util.List<Object> items = Types.list(run, pair);
            throwIf(items.size() != 2, () -> Fault.value("dictionary update sequence element has length " + items.size() + "; 2 is required"));
            dict.put(run.budget(), items.get(0), items.get(1));
        }
    }
}
