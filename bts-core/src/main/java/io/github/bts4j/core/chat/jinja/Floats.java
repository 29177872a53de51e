package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Floats as Python writes them. */
final class Floats {
    private static final int MAX_DIGITS = 17;
    /** So many digits survive a float that is not subnormal: fewer need not be tried. */
    private static final int EXACT_DIGITS = 15;
    private static final int MAX_PRECISION = 100_000;

    private Floats() {}

    /** {@code repr(value)}: the fewest digits that read as the same number. */
    static String repr(double value) {
        String special = special(value);
        if (special != null) {
            return special;
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal digits = shortest(value);
        int exponent = digits.precision() - digits.scale() - 1;
        if (exponent < -4 || exponent >= 16) {
            return scientific(digits, exponent);
        }
        String text = digits.toPlainString();
        return text.indexOf('.') < 0 ? text + ".0" : text;
    }

    static String special(double value) {
        return Double.isNaN(value) ? "nan" : value == Double.POSITIVE_INFINITY ? "inf" : value == Double.NEGATIVE_INFINITY ? "-inf" : null;
    }

    private static BigDecimal shortest(double value) {
        BigDecimal exact = new BigDecimal(value);
        int least = Math.abs(value) < Double.MIN_NORMAL ? 1 : EXACT_DIGITS;
        for (int precision = least; precision < MAX_DIGITS; precision++) {
            BigDecimal rounded = exact.round(new MathContext(precision, RoundingMode.HALF_EVEN));
            if (rounded.doubleValue() == value) {
                return rounded.stripTrailingZeros();
            }
        }
        return exact.round(new MathContext(MAX_DIGITS, RoundingMode.HALF_EVEN)).stripTrailingZeros();
    }

    private static String scientific(BigDecimal digits, int exponent) {
        String unscaled = digits.unscaledValue().abs().toString();
        String mantissa = unscaled.length() == 1 ? unscaled : unscaled.charAt(0) + "." + unscaled.substring(1);
        return (digits.signum() < 0 ? "-" : "") + mantissa + exponent(exponent);
    }

    private static String exponent(int exponent) {
        int magnitude = Math.abs(exponent);
        return (exponent < 0 ? "e-" : "e+") + (magnitude < 10 ? "0" : "") + magnitude;
    }

    private static void require(int precision) {
        throwIf(precision > MAX_PRECISION, () -> Fault.limit("a precision of " + precision + ", at most " + MAX_PRECISION));
    }

    /** {@code %.nf} of a magnitude. */
    static String fixed(double value, int precision, boolean point) {
        require(precision);
        String text = new BigDecimal(Math.abs(value)).setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
        return point && precision == 0 ? text + "." : text;
    }

    /** {@code %.ne} of a magnitude. */
    static String exponential(double value, int precision, boolean point) {
        require(precision);
        BigDecimal rounded = new BigDecimal(Math.abs(value)).round(new MathContext(precision + 1, RoundingMode.HALF_EVEN));
        int exponent = value == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        StringBuilder digits = new StringBuilder(rounded.unscaledValue().toString());
        while (digits.length() <= precision) {
            digits.append('0');
        }
        digits.setLength(precision + 1);
        if (precision > 0 || point) {
            digits.insert(1, '.');
        }
        return digits + exponent(exponent);
    }

    /** {@code %.ng} of a magnitude. */
    static String general(double value, int precision, boolean alternate) {
        require(precision);
        int digits = Math.max(precision, 1);
        BigDecimal rounded = new BigDecimal(Math.abs(value)).round(new MathContext(digits, RoundingMode.HALF_EVEN));
        int exponent = value == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        if (exponent < -4 || exponent >= digits) {
            String text = exponential(value, digits - 1, alternate);
            int e = text.indexOf('e');
            return alternate ? text : trimmed(text.substring(0, e)) + text.substring(e);
        }
        String text = fixed(value, digits - 1 - exponent, alternate);
        return alternate ? text : trimmed(text);
    }

    private static String trimmed(String text) {
        if (text.indexOf('.') < 0) {
            return text;
        }
        int end = text.length();
        while (text.charAt(end - 1) == '0') {
            end--;
        }
        return text.substring(0, text.charAt(end - 1) == '.' ? end - 1 : end);
    }
}
