package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Sequence.PyTuple;
import java.math.BigInteger;

/** {@code text % values}. */
final class PercentFormat {
    private final Run run;
    private final String format;
    private final Object values;
    private final boolean escapes;
    private final StringBuilder out = new StringBuilder();
    private int at;
    private int used;
    private boolean byName;
    private Object valueByName;
    private String flags;

    private PercentFormat(Run run, String format, Object values, boolean escapes) {
        this.run = run;
        this.format = format;
        this.values = values;
        this.escapes = escapes;
    }

    static Object format(Run run, Object format, Object values) {
        boolean markup = format instanceof Markup;
        String text = new PercentFormat(run, Types.text(format), values, markup).run();
        run.budget().text(text.length());
        return markup ? new Markup(text) : text;
    }

    private String run() {
        while (at < format.length()) {
            char c = format.charAt(at++);
            if (c == '%' && at < format.length() && format.charAt(at) == '%') {
                out.append(format.charAt(at++));
            } else if (c == '%') {
                specifier();
            } else {
                out.append(c);
            }
        }
        int given = values instanceof PyTuple tuple ? tuple.items().size() : 1;
        boolean mapping = !(values instanceof PyTuple) && !Types.isText(values)
                && (values instanceof PyDict || values instanceof Sequence || values instanceof Range || values instanceof Undefined || values instanceof Bytes);
        throwIf(used < given && !mapping, () -> Fault.type("not all arguments converted during string formatting"));
        return out.toString();
    }

    private Object next() {
        if (byName) {
            return valueByName;
        }
        if (values instanceof PyTuple tuple) {
            throwIf(used >= tuple.items().size(), () -> Fault.type("not enough arguments for format string"));
            return tuple.items().get(used++);
        }
        throwIf(used++ > 0, () -> Fault.type("not enough arguments for format string"));
        return values;
    }

    private char peek() {
        throwIf(at >= format.length(), () -> Fault.value("incomplete format"));
        return format.charAt(at);
    }

    private void specifier() {
        byName = false;
        if (peek() == '(') {
            key();
        }
        int begin = at;
        while ("-+ #0".indexOf(peek()) >= 0) {
            at++;
        }
        flags = format.substring(begin, at);
        int width = number();
        if (width < 0) {
            flags += '-';
            width = -width;
        }
        int precision = -1;
        if (peek() == '.') {
            at++;
            precision = Math.max(0, number());
        }
        if ("hlL".indexOf(peek()) >= 0) {
            at++;
        }
        char type = peek();
        at += Character.charCount(format.codePointAt(at));
        convert(type, width, precision);
    }

    private boolean has(char flag) {
        return flags.indexOf(flag) >= 0;
    }

    private void key() {
        if (!(values instanceof PyDict dict)) {
            throw Fault.type("format requires a mapping");
        }
        int open = 1;
        int begin = ++at;
        for (; open > 0; at++) {
            throwIf(at >= format.length(), () -> Fault.value("incomplete format key"));
            open += format.charAt(at) == '(' ? 1 : format.charAt(at) == ')' ? -1 : 0;
        }
        String key = format.substring(begin, at - 1);
        PyDict.Entry entry = dict.entry(key);
        throwIf(entry == null, () -> Fault.lookup(Repr.text(key)));
        byName = true;
        valueByName = entry.value();
    }

    private int number() {
        if (peek() == '*') {
            at++;
            Object value = next();
            throwIf(!Numbers.isInteger(value), () -> Fault.type("* wants int"));
            return Math.max(-Integer.MAX_VALUE, Numbers.clipped(Numbers.integer(value)));
        }
        int begin = at;
        while (peek() >= '0' && peek() <= '9') {
            at++;
        }
        throwIf(at - begin > 9, () -> Fault.value("width too big"));
        return at == begin ? 0 : Integer.parseInt(format.substring(begin, at));
    }

    private void convert(char type, int width, int precision) {
        switch (type) {
            case 's', 'r', 'a' -> {
                Object value = next();
                String text = type == 's' ? Repr.str(run, value) : type == 'r' ? Repr.repr(run, value) : ascii(Repr.repr(run, value));
                if (escapes && !(value instanceof Markup && type == 's')) {
                    text = Markup.escaped(text);
                }
                pad("", precision >= 0 && precision < Text.length(text) ? Text.slice(text, 0, precision) : text, width, false);
            }
            case 'c' -> pad("", character(next()), width, false);
            case 'd', 'i', 'u', 'x', 'X', 'o' -> integer(type, width, precision);
            case 'f', 'F', 'e', 'E', 'g', 'G' -> real(type, width, precision < 0 ? 6 : precision);
            default -> throw Fault.value("unsupported format character '" + type + "' at index " + (at - 1));
        }
    }

    private static String character(Object value) {
        if (Numbers.isInteger(value)) {
            return FormatSpec.character(Numbers.integer(value));
        }
        throwIf(!Types.isText(value) || Text.length(Types.text(value)) != 1, () -> Fault.type("%c requires int or char"));
        return Types.text(value);
    }

    private void integer(char type, int width, int precision) {
        Object value = next();
        boolean hex = type == 'x' || type == 'X' || type == 'o';
        throwIf(!Types.isNumber(value) || hex && value instanceof Double,
                () -> Fault.type("%" + type + " format: " + (hex ? "an integer" : "a real number") + " is required, not " + Types.name(value)));
        BigInteger number = value instanceof Double real ? Numbers.truncated(real) : Numbers.integer(value);
        int radix = type == 'o' ? 8 : hex ? 16 : 10;
        String digits = radix == 10 ? Repr.integer(number.abs()) : number.abs().toString(radix);
        digits = StringPadding.pad(run, precision - (long) digits.length(), "0") + (type == 'X' ? StringCase.upper(digits) : digits);
        String prefix = has('#') && hex ? "0" + type : "";
        pad(sign(number.signum() < 0) + prefix, digits, width, true);
    }

    private String sign(boolean negative) {
        return negative ? "-" : has('+') ? "+" : has(' ') ? " " : "";
    }

    private void real(char type, int width, int precision) {
        Object value = next();
        Undefined.refuse(value);
        throwIf(!Types.isNumber(value), () -> Fault.type("must be real number, not " + Types.name(value)));
        double number = Numbers.real(value);
        String special = Floats.special(Math.abs(number));
        run.budget().text(precision + 400L);
        String digits = special != null ? special : switch (type) {
            case 'f', 'F' -> Floats.fixed(number, precision, has('#'));
            case 'e', 'E' -> Floats.exponential(number, precision, has('#'));
            default -> Floats.general(number, precision, has('#'));
        };
        boolean negative = number < 0 || number == 0 && 1 / number < 0;
        pad(sign(negative), Character.isUpperCase(type) ? StringCase.upper(digits) : digits, width, true);
    }

    private void pad(String lead, String text, int width, boolean number) {
        long missing = (long) width - lead.length() - Text.length(text);
        if (has('-')) {
            out.append(lead).append(text).append(StringPadding.pad(run, missing, " "));
        } else if (has('0') && number) {
            out.append(lead).append(StringPadding.pad(run, missing, "0")).append(text);
        } else {
            out.append(StringPadding.pad(run, missing, " ")).append(lead).append(text);
        }
    }

    /** {@code ascii}: other characters as escapes. */
    static String ascii(String repr) {
        StringBuilder out = new StringBuilder();
        repr.codePoints().forEach(c -> out.append(c < 128 ? Text.of(c) : Repr.escape(c)));
        return out.toString();
    }
}
