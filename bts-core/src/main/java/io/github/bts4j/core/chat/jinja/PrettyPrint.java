package io.github.bts4j.core.chat.jinja;

import java.util.ArrayList;
import java.util.List;

/** {@code pprint.pformat} for what fits into a line; of what does not, dicts and lists are broken between their items, as Python does. */
final class PrettyPrint {
    private static final int WIDTH = 80;

    private PrettyPrint() {}

    static String format(Run run, Object value) {
        return format(run, value, 0, 0);
    }

    private static String format(Run run, Object value, int indent, int allowance) {
        run.budget().enter(4);
        String line = flat(run, value);
        String text = line;
        if (line.length() > WIDTH - indent - allowance) {
            if (value instanceof PyDict dict && dict.size() > 0) {
                text = dict(run, dict, indent, allowance);
            } else if (value instanceof Sequence sequence && !sequence.items().isEmpty()) {
                text = sequence(run, sequence, indent, allowance);
            }
        }
        run.budget().leave(4);
        return text;
    }

    private static String flat(Run run, Object value) {
        if (!(value instanceof PyDict) && !(value instanceof Sequence)) {
            return Repr.repr(run, value);
        }
        List<String> parts = new ArrayList<>();
        if (value instanceof PyDict dict) {
            sorted(run, dict).forEach(entry -> parts.add(flat(run, entry.key()) + ": " + flat(run, entry.value())));
            return "{" + String.join(", ", parts) + "}";
        }
        List<Object> items = ((Sequence) value).items();
        items.forEach(item -> parts.add(flat(run, item)));
        String joined = String.join(", ", parts);
        run.budget().text(joined.length());
        return value instanceof Sequence.PyList ? "[" + joined + "]" : items.size() == 1 ? "(" + joined + ",)" : "(" + joined + ")";
    }

    private static List<PyDict.Entry> sorted(Run run, PyDict dict) {
        List<PyDict.Entry> entries = new ArrayList<>(dict.entries());
        boolean texts = entries.stream().allMatch(entry -> Types.isText(entry.key()));
        boolean numbers = entries.stream().allMatch(entry -> Types.isNumber(entry.key()));
        if (texts || numbers) {
            entries.sort((a, b) -> Comparisons.order(run).compare(a.key(), b.key()));
        }
        return entries;
    }

    private static String dict(Run run, PyDict dict, int indent, int allowance) {
        List<String> parts = new ArrayList<>();
        List<PyDict.Entry> entries = sorted(run, dict);
        for (PyDict.Entry entry : entries) {
            String key = Repr.repr(run, entry.key());
            boolean last = parts.size() == entries.size() - 1;
            parts.add(key + ": " + format(run, entry.value(), indent + 1 + Text.length(key) + 2, last ? allowance + 1 : 1));
        }
        return "{" + String.join(",\n" + " ".repeat(indent + 1), parts) + "}";
    }

    private static String sequence(Run run, Sequence sequence, int indent, int allowance) {
        boolean list = sequence instanceof Sequence.PyList;
        List<String> parts = new ArrayList<>();
        int size = sequence.items().size();
        String close = list ? "]" : size == 1 ? ",)" : ")";
        for (int i = 0; i < size; i++) {
            parts.add(format(run, sequence.items().get(i), indent + 1, i == size - 1 ? allowance + close.length() : 1));
        }
        return (list ? "[" : "(") + String.join(",\n" + " ".repeat(indent + 1), parts) + close;
    }
}
