package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Arguments.Bound;
import java.math.BigInteger;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;

/** {@code encode}, {@code translate} and {@code maketrans}; and {@code decode} of bytes. */
final class StringCodes {
    static final Map<String, StringMethods.Method> METHODS = Map.of(
            "encode", (run, text, arguments) -> encode(run, text, arguments.bind("encode", 0, "encoding", "errors")),
            "translate", (run, text, arguments) -> translate(run, text, arguments.positional("translate", 1, 1).get(0)),
            "maketrans", (run, text, arguments) -> makeTranslation(run, arguments.positional("maketrans", 1, 3)));

    private StringCodes() {}

    private static Charset charset(String name) {
        return switch (name.toLowerCase(Locale.ROOT).replace('_', '-')) {
            case "utf-8", "utf8" -> StandardCharsets.UTF_8;
            case "ascii", "us-ascii" -> StandardCharsets.US_ASCII;
            case "latin-1", "latin1", "iso-8859-1" -> StandardCharsets.ISO_8859_1;
            default -> throw Fault.lookup("unknown encoding: " + name);
        };
    }

    private static Bytes encode(Run run, String text, Bound arguments) {
        Charset charset = charset(arguments.text(0, "utf-8"));
        String errors = arguments.text(1, "strict");
        run.budget().text(2L * text.length());
        throwIf(!errors.equals("strict") && !errors.equals("ignore") && !errors.equals("replace"),
                () -> Fault.lookup("unknown error handler name '" + errors + "'"));
        StringBuilder encodable = new StringBuilder();
        text.codePoints().forEach(c -> {
            boolean fits = c < 128 || charset.equals(StandardCharsets.UTF_8) && (c < 0xd800 || c > 0xdfff) || charset.equals(StandardCharsets.ISO_8859_1) && c < 256;
            if (fits) {
                encodable.appendCodePoint(c);
            } else if (errors.equals("strict")) {
                throw Fault.value("'" + charset + "' codec can't encode character '" + Repr.escape(c) + "'");
            } else if (errors.equals("replace")) {
                encodable.append('?');
            }
        });
        return new Bytes(encodable.toString().getBytes(charset));
    }

    static String decode(Bytes bytes, Bound arguments) {
        Charset charset = charset(arguments.text(0, "utf-8"));
        String errors = arguments.text(1, "strict");
        String text = new String(bytes.value(), charset);
        throwIf(errors.equals("strict") && !java.util.Arrays.equals(text.getBytes(charset), bytes.value()),
                () -> Fault.value("'" + charset + "' codec can't decode the bytes"));
        return errors.equals("ignore") ? text.replace("\ufffd", "") : text;
    }

    private static String translate(Run run, String text, Object table) {
        StringBuilder out = new StringBuilder();
        for (int c : text.codePoints().toArray()) {
            Object to = translated(run, c, table);
            if (to == Arguments.MISSING) {
                out.appendCodePoint(c);
            } else if (to instanceof BigInteger code) {
                throwIf(code.signum() < 0 || code.compareTo(BigInteger.valueOf(Character.MAX_CODE_POINT)) > 0,
                        () -> Fault.value("character mapping must be in range(0x110000)"));
                out.appendCodePoint(code.intValue());
            } else if (Types.isText(to)) {
                run.budget().text(Types.text(to).length());
                out.append(Types.text(to));
            } else if (to != null) {
                throw Fault.type("character mapping must return integer, None or str");
            }
        }
        run.budget().text(text.length());
        return out.toString();
    }

    private static Object translated(Run run, int c, Object table) {
        if (table instanceof PyDict dict) {
            PyDict.Entry entry = dict.entry(run.budget(), BigInteger.valueOf(c));
            return entry == null ? Arguments.MISSING : entry.value();
        }
        if (Types.isText(table) || table instanceof Sequence) {
            return c < Types.length(table) ? Members.item(run, table, BigInteger.valueOf(c)) : Arguments.MISSING;
        }
        throw Fault.type("'" + Types.name(table) + "' object is not subscriptable");
    }

    private static PyDict makeTranslation(Run run, Bound arguments) {
        PyDict table = new PyDict();
        if (!arguments.has(1)) {
            if (!(arguments.get(0) instanceof PyDict dict)) {
                throw Fault.type("if you give only one argument to maketrans it must be a dict");
            }
            for (PyDict.Entry entry : dict.entries()) {
                table.put(run.budget(), key(entry.key()), entry.value());
            }
            return table;
        }
        int[] from = arguments.text(0).codePoints().toArray();
        int[] to = arguments.text(1).codePoints().toArray();
        throwIf(from.length != to.length, () -> Fault.value("the first two maketrans arguments must have equal length"));
        for (int i = 0; i < from.length; i++) {
            table.put(run.budget(), BigInteger.valueOf(from[i]), BigInteger.valueOf(to[i]));
        }
        arguments.text(2, "").codePoints().forEach(c -> table.put(run.budget(), BigInteger.valueOf(c), null));
        return table;
    }

    private static Object key(Object key) {
        if (Numbers.isInteger(key)) {
            return key;
        }
        throwIf(!Types.isText(key), () -> Fault.type("keys in translate table must be strings or integers"));
        throwIf(Text.length(Types.text(key)) != 1, () -> Fault.value("string keys in translate table must be of length 1"));
        return BigInteger.valueOf(Types.text(key).codePointAt(0));
    }
}
