package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Sequence.PyTuple;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** {@code str} and {@code repr}. */
final class Repr {
    private static final BigInteger LARGEST = BigInteger.TEN.pow(4300);
    private static final int LEVELS = 4;
    private static final int FLOAT_STEPS = 20;

    private final Budget budget;
    private final StringBuilder out = new StringBuilder();
    private final List<Object> open = new ArrayList<>();
    private int charged;

    private Repr(Budget budget) {
        this.budget = budget;
    }

    /** {@code str(value)}. */
    static String str(Run run, Object value) {
        if (Types.isText(value)) {
            return Types.text(value);
        }
        if (value instanceof Undefined) {
            return "";
        }
        return value instanceof TemplateSelf.BlockReference ? "<BlockReference>" : repr(run, value);
    }

    /** {@code repr(value)}. */
    static String repr(Run run, Object value) {
        Repr repr = new Repr(run.budget());
        repr.write(value);
        run.budget().text(repr.out.length());
        return repr.out.toString();
    }

    static String integer(BigInteger value) {
        throwIf(value.abs().compareTo(LARGEST) >= 0,
                () -> Fault.value("Exceeds the limit (4300 digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit"));
        return value.toString();
    }

    private void write(Object value) {
        budget.step();
        if (out.length() > charged + 4096) {
            budget.text(out.length() - charged);
            charged = out.length();
        }
        if (value == null) {
            out.append("None");
        } else if (value instanceof Boolean bool) {
            out.append(bool ? "True" : "False");
        } else if (value instanceof BigInteger number) {
            out.append(integer(number));
        } else if (value instanceof Double number) {
            budget.steps(FLOAT_STEPS);
            out.append(Floats.repr(number));
        } else if (value instanceof String text) {
            out.append(text(text));
        } else if (value instanceof Markup markup) {
            out.append("Markup(").append(text(markup.text())).append(')');
        } else {
            nested(value);
        }
    }

    private void nested(Object value) {
        if (value instanceof Sequence sequence) {
            sequence(sequence);
        } else if (value instanceof PyDict dict) {
            dict(dict);
        } else if (value instanceof DictView view) {
            out.append(view.typeName()).append("([");
            enter(view.dict());
            items(view.items(budget));
            leave();
            out.append("])");
        } else if (value instanceof Namespace namespace) {
            out.append("<Namespace ");
            dict(namespace.attributes());
            out.append('>');
        } else if (value instanceof Range range) {
            boolean plain = range.step().equals(BigInteger.ONE);
            out.append("range(").append(integer(range.start())).append(", ").append(integer(range.stop()))
                    .append(plain ? "" : ", " + integer(range.step())).append(')');
        } else if (value instanceof Bytes bytes) {
            bytes(bytes.value());
        } else if (value instanceof Undefined) {
            out.append("Undefined");
        } else if (value instanceof Loop loop) {
            out.append("<LoopContext ").append(loop.index()).append('/').append(loop.length()).append('>');
        } else {
            out.append(value instanceof Function function ? function.repr() : "<" + Types.name(value) + " object>");
        }
    }

    private void enter(Object value) {
        budget.enter(LEVELS);
        open.add(value);
    }

    private void leave() {
        budget.leave(LEVELS);
        open.remove(open.size() - 1);
    }

    private boolean isOpen(Object value) {
        for (Object other : open) {
            if (other == value) {
                return true;
            }
        }
        return false;
    }

    private void sequence(Sequence sequence) {
        boolean tuple = sequence instanceof PyTuple;
        if (isOpen(sequence)) {
            out.append(tuple ? "(...)" : "[...]");
            return;
        }
        enter(sequence);
        out.append(tuple ? '(' : '[');
        items(sequence.items());
        out.append(!tuple ? "]" : sequence.items().size() == 1 ? ",)" : ")");
        leave();
    }

    private void items(List<Object> items) {
        for (int i = 0; i < items.size(); i++) {
            if (i > 0) {
                out.append(", ");
            }
            write(items.get(i));
        }
    }

    private void dict(PyDict dict) {
        if (isOpen(dict)) {
            out.append("{...}");
            return;
        }
        enter(dict);
        out.append('{');
        boolean first = true;
        for (PyDict.Entry entry : dict.entries()) {
            out.append(first ? "" : ", ");
            first = false;
            write(entry.key());
            out.append(": ");
            write(entry.value());
        }
        out.append('}');
        leave();
    }

    private void bytes(byte[] value) {
        String text = new String(value, StandardCharsets.ISO_8859_1);
        String quoted = text(text);
        StringBuilder escaped = new StringBuilder("b");
        quoted.chars().forEach(c -> escaped.append(c < 127 ? Character.toString(c) : "\\x" + HexFormat.of().toHexDigits((byte) c)));
        out.append(escaped);
    }

    /** {@code repr} of a text. */
    static String text(String text) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder out = new StringBuilder(text.length() + 2).append(quote);
        text.codePoints().forEach(c -> {
            if (c == quote || c == '\\') {
                out.append('\\').appendCodePoint(c);
            } else if (c == '\n' || c == '\r' || c == '\t') {
                out.append(c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
            } else if (StringTests.isPrintable(c)) {
                out.appendCodePoint(c);
            } else {
                out.append(escape(c));
            }
        });
        return out.append(quote).toString();
    }

    static String escape(int c) {
        HexFormat hex = HexFormat.of();
        return c < 256 ? "\\x" + hex.toHexDigits((byte) c) : c < 0x10000 ? "\\u" + hex.toHexDigits((char) c) : "\\U" + hex.toHexDigits(c);
    }
}
