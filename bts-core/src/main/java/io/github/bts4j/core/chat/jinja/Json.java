package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** transformers' {@code tojson}: {@code json.dumps} of Python. */
final class Json {
    private static final int LEVELS = 4;

    private final Run run;
    private final boolean ascii;
    private final String indent;
    private final String itemSeparator;
    private final String keySeparator;
    private final boolean sorted;
    private final StringBuilder out = new StringBuilder();
    private int charged;

    private Json(Run run, Arguments.Bound arguments) {
        this.run = run;
        ascii = arguments.truth(1, false);
        indent = indent(arguments);
        Object separators = arguments.get(3, null);
        if (separators == null) {
            itemSeparator = indent == null ? ", " : ",";
            keySeparator = ": ";
        } else {
            List<Object> pair = Types.list(run, separators);
            throwIf(pair.size() != 2 || !Types.isText(pair.get(0)) || !Types.isText(pair.get(1)), () -> Fault.value("separators must be two texts"));
            itemSeparator = Types.text(pair.get(0));
            keySeparator = Types.text(pair.get(1));
        }
        sorted = arguments.truth(4, false);
    }

    private String indent(Arguments.Bound arguments) {
        Object indent = arguments.get(2, null);
        if (indent == null) {
            return null;
        }
        return Types.isText(indent) ? Types.text(indent) : StringPadding.pad(run, Numbers.clipped(Numbers.index(indent)), " ");
    }

    static String dumps(Run run, Object value, Arguments arguments) {
        Json json = new Json(run, arguments.with(value).bind("tojson", 1, "x", "ensure_ascii", "indent", "separators", "sort_keys"));
        json.write(value, 0);
        run.budget().text(json.out.length());
        return json.out.toString();
    }

    private void write(Object value, int level) {
        run.budget().step();
        if (out.length() > charged + 4096) {
            run.budget().text(out.length() - charged);
            charged = out.length();
        }
        if (value instanceof Sequence sequence) {
            list(sequence, level);
        } else if (value instanceof PyDict dict) {
            dict(dict, level);
        } else if (Types.isText(value)) {
            quote(Types.text(value));
        } else {
            String scalar = scalar(value);
            throwIf(scalar == null, () -> Fault.type("Object of type " + Types.name(value) + " is not JSON serializable"));
            out.append(scalar);
        }
    }

    private static String scalar(Object value) {
        if (value == null) {
            return "null";
        }
        if (value instanceof Boolean bool) {
            return bool ? "true" : "false";
        }
        if (value instanceof BigInteger number) {
            return Repr.integer(number);
        }
        if (value instanceof Double number) {
            return Double.isNaN(number) ? "NaN" : Double.isInfinite(number) ? number > 0 ? "Infinity" : "-Infinity" : Floats.repr(number);
        }
        return null;
    }

    private void list(Sequence sequence, int level) {
        if (sequence.items().isEmpty()) {
            out.append("[]");
            return;
        }
        run.budget().enter(LEVELS);
        out.append('[');
        boolean first = true;
        for (Object item : sequence.items()) {
            next(first, level + 1);
            first = false;
            write(item, level + 1);
        }
        line(level);
        out.append(']');
        run.budget().leave(LEVELS);
    }

    private void next(boolean first, int level) {
        if (!first) {
            out.append(itemSeparator);
        }
        line(level);
    }

    private void line(int level) {
        if (indent != null) {
            run.budget().text((long) indent.length() * level);
            out.append('\n').append(indent.repeat(level));
        }
    }

    private void dict(PyDict dict, int level) {
        if (dict.size() == 0) {
            out.append("{}");
            return;
        }
        run.budget().enter(LEVELS);
        out.append('{');
        boolean first = true;
        List<PyDict.Entry> entries = new ArrayList<>(dict.entries());
        if (sorted) {
            entries.sort((a, b) -> Comparisons.order(run).compare(a.key(), b.key()));
        }
        for (PyDict.Entry entry : entries) {
            next(first, level + 1);
            first = false;
            quote(key(entry.key()));
            out.append(keySeparator);
            write(entry.value(), level + 1);
        }
        line(level);
        out.append('}');
        run.budget().leave(LEVELS);
    }

    private static String key(Object key) {
        String scalar = Types.isText(key) ? Types.text(key) : scalar(key);
        throwIf(scalar == null, () -> Fault.type("keys must be str, int, float, bool or None, not " + Types.name(key)));
        return scalar;
    }

    private void quote(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\f' -> out.append("\\f");
                case '\b' -> out.append("\\b");
                default -> {
                    if (c < ' ' || ascii && c > 126) {
                        out.append(c == 127 ? "\u007f" : "\\u" + HexFormat.of().toHexDigits(c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
