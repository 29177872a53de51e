package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's format specification: {@code [[fill]align][sign][z][#][0][width][grouping][.precision][type]}. */
final class FormatSpec {
    private static final Pattern SHAPE = Pattern.compile("(?s)(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?([0-9]+)?([,_])?(?:\\.([0-9]+))?(.)?");
    private static final int MAX_DIGITS = 9;

    private final Run run;
    private final String fill;
    private final char align;
    private final char sign;
    private final boolean noNegativeZero;
    private final boolean alternate;
    private final int width;
    private final String grouping;
    private final int precision;
    private final char type;

    private FormatSpec(Run run, Matcher shape) {
        this.run = run;
        boolean zero = shape.group(6) != null;
        fill = shape.group(1) != null ? shape.group(1) : zero && shape.group(2) == null ? "0" : " ";
        align = shape.group(2) != null ? shape.group(2).charAt(0) : zero ? '=' : 0;
        sign = shape.group(3) == null ? 0 : shape.group(3).charAt(0);
        noNegativeZero = shape.group(4) != null;
        alternate = shape.group(5) != null;
        width = number(shape.group(7), 0);
        grouping = shape.group(8);
        precision = number(shape.group(9), -1);
        type = shape.group(10) == null ? 0 : shape.group(10).charAt(0);
    }

    private static int number(String digits, int otherwise) {
        if (digits == null) {
            return otherwise;
        }
        throwIf(digits.length() > MAX_DIGITS, () -> Fault.value("Too many decimal digits in format string"));
        return Integer.parseInt(digits);
    }

    /** {@code format(value, spec)}. */
    static String format(Run run, Object value, String spec) {
        boolean plain = Types.isText(value) || Types.isNumber(value);
        if (spec.isEmpty()) {
            return Repr.str(run, value);
        }
        throwIf(!plain, () -> Fault.type("unsupported format string passed to " + Types.name(value) + ".__format__"));
        Matcher shape = SHAPE.matcher(spec);
        int first = Character.charCount(spec.codePointAt(0));
        boolean wideFill = first == 2 && spec.length() > 2 && "<>=^".indexOf(spec.charAt(2)) >= 0;
        throwIf(!(wideFill ? SHAPE.matcher(spec.substring(1)) : shape).matches(), () -> Fault.value("Invalid format specifier"));
        shape.matches();
        FormatSpec format = new FormatSpec(run, shape);
        return Types.isText(value) ? format.text(Types.text(value)) : format.number(value);
    }

    private Fault unknown(Object value) {
        return Fault.value("Unknown format code '" + type + "' for object of type '" + Types.name(value) + "'");
    }

    private String text(String value) {
        throwIf(type != 0 && type != 's', () -> unknown(value));
        throwIf(sign != 0, () -> Fault.value("Sign not allowed in string format specifier"));
        throwIf(align == '=' && !fill.equals("0") || alternate || grouping != null || noNegativeZero,
                () -> Fault.value("'=' alignment, '#' or ',' not allowed in string format specifier"));
        String cut = precision >= 0 && precision < Text.length(value) ? Text.slice(value, 0, precision) : value;
        return padded("", cut, align == 0 || align == '=' ? '<' : align);
    }

    private String number(Object value) {
        boolean floats = type != 0 && "eEfFgG%".indexOf(type) >= 0;
        if (value instanceof Double || floats) {
            return real(value, Numbers.real(value));
        }
        if (value instanceof Boolean && type == 0) {
            return number(Numbers.integer(value));
        }
        throwIf(type != 0 && "bcdoxXn".indexOf(type) < 0, () -> unknown(value));
        throwIf(precision >= 0, () -> Fault.value("Precision not allowed in integer format specifier"));
        BigInteger number = Numbers.integer(value);
        if (type == 'c') {
            throwIf(sign != 0, () -> Fault.value("Sign not allowed with integer format specifier 'c'"));
            return padded("", character(number), align == 0 || align == '=' ? '<' : align);
        }
        int radix = type == 'b' ? 2 : type == 'o' ? 8 : type == 'x' || type == 'X' ? 16 : 10;
        throwIf(",".equals(grouping) && radix != 10, () -> Fault.value("Cannot specify ',' with '" + type + "'."));
        String digits = radix == 10 ? Repr.integer(number.abs()) : number.abs().toString(radix);
        String prefix = alternate && radix != 10 ? "0" + type : "";
        return aligned(number.signum() < 0, prefix, type == 'X' ? StringCase.upper(digits) : digits, radix == 10 ? 3 : 4);
    }

    static String character(BigInteger code) {
        throwIf(code.signum() < 0 || code.compareTo(BigInteger.valueOf(Character.MAX_CODE_POINT)) > 0,
                () -> Fault.overflow("%c arg not in range(0x110000)"));
        return Text.of(code.intValue());
    }

    private String real(Object value, double number) {
        throwIf(type != 0 && "eEfFgGn%".indexOf(type) < 0, () -> unknown(value));
        String digits = digits(number);
        boolean upper = type == 'E' || type == 'F' || type == 'G';
        boolean negative = number < 0 || number == 0 && 1 / number < 0;
        if (noNegativeZero && negative && digits.chars().noneMatch(c -> c >= '1' && c <= '9')) {
            negative = false;
        }
        return aligned(negative, "", upper ? StringCase.upper(digits) : digits, 3);
    }

    /** The digits of a magnitude. */
    private String digits(double number) {
        String special = Floats.special(Math.abs(number));
        if (special != null) {
            return type == '%' ? special + "%" : special;
        }
        run.budget().text(Math.max(precision, 0) + 400L);
        return switch (type) {
            case 'e', 'E' -> Floats.exponential(number, precision < 0 ? 6 : precision, alternate);
            case 'f', 'F' -> Floats.fixed(number, precision < 0 ? 6 : precision, alternate);
            case '%' -> Floats.fixed(number * 100, precision < 0 ? 6 : precision, alternate) + "%";
            case 'g', 'G', 'n' -> Floats.general(number, precision < 0 ? 6 : precision, alternate);
            default -> precision < 0 ? Floats.repr(Math.abs(number)) : plain(number);
        };
    }

    /** Without a type: as {@code g}, with one digit behind the point at least, so that an exponent comes one digit earlier. */
    private String plain(double number) {
        int digits = Math.max(precision, 1);
        BigDecimal rounded = new BigDecimal(Math.abs(number)).round(new MathContext(digits, RoundingMode.HALF_EVEN));
        int exponent = number == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        if (exponent < -4 || exponent >= digits - 1) {
            return exponentialTrimmed(number, digits);
        }
        String general = Floats.general(number, digits, alternate);
        return general.indexOf('.') < 0 ? general + ".0" : general;
    }

    private static String exponentialTrimmed(double number, int digits) {
        String text = Floats.exponential(number, digits - 1, false);
        int e = text.indexOf('e');
        String mantissa = text.substring(0, e);
        return (mantissa.indexOf('.') < 0 ? mantissa : mantissa.replaceFirst("\\.?0+$", "")) + text.substring(e);
    }

    private String aligned(boolean negative, String prefix, String digits, int group) {
        String lead = (negative ? "-" : sign == '+' ? "+" : sign == ' ' ? " " : "") + prefix;
        boolean zeros = fill.equals("0") && align == '=';
        String grouped = grouping == null ? digits : grouped(digits, group, zeros ? width - lead.length() : 0);
        return padded(lead, grouped, align == 0 ? '>' : align);
    }

    /** Digits in groups, filled with zeros to a width. */
    private String grouped(String digits, int group, int least) {
        int end = 0;
        while (end < digits.length() && Character.digit(digits.charAt(end), 16) >= 0 && !(group == 3 && digits.charAt(end) == 'e')) {
            end++;
        }
        StringBuilder out = new StringBuilder();
        String rest = digits.substring(end);
        int count = 0;
        for (int i = end - 1; i >= 0 || out.length() + rest.length() < least; i--) {
            if (count > 0 && count % group == 0) {
                out.append(grouping);
            }
            out.append(i >= 0 ? digits.charAt(i) : '0');
            count++;
            run.budget().step();
        }
        return out.reverse() + rest;
    }

    private String padded(String lead, String text, char alignment) {
        long missing = (long) width - lead.length() - Text.length(text);
        if (missing <= 0) {
            return lead + text;
        }
        return switch (alignment) {
            case '<' -> lead + text + StringPadding.pad(run, missing, fill);
            case '>' -> StringPadding.pad(run, missing, fill) + lead + text;
            case '=' -> lead + StringPadding.pad(run, missing, fill) + text;
            default -> StringPadding.pad(run, missing / 2, fill) + lead + text + StringPadding.pad(run, missing - missing / 2, fill);
        };
    }
}
