package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.math.BigInteger;
import java.util.Locale;
import java.util.regex.Pattern;

/** {@code int(text, base)} and {@code float(text)}. */
final class NumberTexts {
    private static final Pattern FLOAT = Pattern.compile("[+-]?(?:[0-9]++(?:_[0-9]++)*+\\.?(?:[0-9]++(?:_[0-9]++)*+)?|\\.[0-9]++(?:_[0-9]++)*+)(?:[eE][+-]?[0-9]++(?:_[0-9]++)*+)?");
    private static final Pattern SPECIAL = Pattern.compile("[+-]?(?:inf|infinity|nan)");
    private static final int MAX_DIGITS = 4300;

    private NumberTexts() {}

    private static String ascii(String text) {
        StringBuilder out = new StringBuilder();
        Text.stripEnd(Text.stripStart(text)).codePoints().forEach(c ->
                out.append(c < 128 || Character.getType(c) != Character.DECIMAL_DIGIT_NUMBER ? Text.of(c) : String.valueOf(Character.digit(c, 10))));
        return out.toString();
    }

    static BigInteger integer(String text, int base) {
        throwIf(base != 0 && (base < 2 || base > 36), () -> Fault.value("int() base must be >= 2 and <= 36, or 0"));
        String digits = ascii(text).toLowerCase(Locale.ROOT);
        boolean negative = digits.startsWith("-");
        digits = negative || digits.startsWith("+") ? digits.substring(1) : digits;
        int prefix = digits.startsWith("0b") ? 2 : digits.startsWith("0o") ? 8 : digits.startsWith("0x") ? 16 : 0;
        int radix = base == 0 ? prefix == 0 ? 10 : prefix : base;
        if (prefix == radix) {
            digits = digits.substring(2);
            digits = digits.startsWith("_") ? digits.substring(1) : digits;
        } else if (base == 0 && digits.startsWith("0") && !digits.replace("_", "").matches("0+")) {
            throw invalid(text, base);
        }
        throwIf(digits.isEmpty() || digits.startsWith("_") || digits.endsWith("_") || digits.contains("__"), () -> invalid(text, base));
        digits = digits.replace("_", "");
        for (int i = 0; i < digits.length(); i++) {
            throwIf(digits.charAt(i) > 127 || Character.digit(digits.charAt(i), radix) < 0, () -> invalid(text, base));
        }
        throwIf(digits.length() > MAX_DIGITS && Integer.bitCount(radix) != 1,
                () -> Fault.value("Exceeds the limit (4300 digits) for integer string conversion"));
        if (digits.length() > 4 * MAX_DIGITS) {
            throw Fault.limit("an integer of " + digits.length() + " digits");
        }
        BigInteger value = new BigInteger(digits, radix);
        return negative ? value.negate() : value;
    }

    private static Fault invalid(String text, int base) {
        return Fault.value("invalid literal for int() with base " + base + ": " + Repr.text(text.length() > 200 ? text.substring(0, 200) : text));
    }

    static double real(String text) {
        String number = ascii(text);
        if (FLOAT.matcher(number).matches()) {
            return Double.parseDouble(number.replace("_", ""));
        }
        String lower = number.toLowerCase(Locale.ROOT);
        throwIf(!SPECIAL.matcher(lower).matches(),
                () -> Fault.value("could not convert string to float: " + Repr.text(text.length() > 200 ? text.substring(0, 200) : text)));
        return lower.contains("nan") ? Double.NaN : lower.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    }
}
