package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.math.BigDecimal;
import java.math.BigInteger;

/** The attributes and methods of numbers. */
final class NumberMembers {
    private NumberMembers() {}

    static Object of(Object number, String name) {
        return number instanceof Double real ? real(real, name) : integer(Numbers.integer(number), name);
    }

    private static Object integer(BigInteger number, String name) {
        return switch (name) {
            case "real", "numerator" -> number;
            case "imag" -> BigInteger.ZERO;
            case "denominator" -> BigInteger.ONE;
            case "conjugate" -> method(name, number);
            case "bit_length" -> method(name, BigInteger.valueOf(number.abs().bitLength()));
            case "bit_count" -> method(name, BigInteger.valueOf(number.abs().bitCount()));
            case "as_integer_ratio" -> method(name, Types.tuple(number, BigInteger.ONE));
            default -> Arguments.MISSING;
        };
    }

    private static Object real(double number, String name) {
        return switch (name) {
            case "real" -> number;
            case "imag" -> 0.0;
            case "conjugate" -> method(name, number);
            case "is_integer" -> method(name, !Double.isInfinite(number) && number == Math.rint(number));
            case "as_integer_ratio" -> new BoundMethod(name, (run, arguments) -> ratio(number));
            case "hex" -> new BoundMethod(name, (run, arguments) -> hex(number));
            default -> Arguments.MISSING;
        };
    }

    private static BoundMethod method(String name, Object result) {
        return new BoundMethod(name, (run, arguments) -> {
            arguments.positional(name, 0, 0);
            return result;
        });
    }

    private static Object ratio(double number) {
        throwIf(Double.isNaN(number) || Double.isInfinite(number), () -> Fault.value("cannot convert NaN or infinity to integer ratio"));
        BigDecimal exact = new BigDecimal(number);
        BigInteger denominator = BigInteger.TEN.pow(Math.max(exact.scale(), 0));
        BigInteger numerator = exact.multiply(new BigDecimal(denominator)).toBigIntegerExact();
        BigInteger divisor = numerator.gcd(denominator);
        return Types.tuple(numerator.divide(divisor), denominator.divide(divisor));
    }

    private static String hex(double number) {
        String special = Floats.special(number);
        if (special != null) {
            return special;
        }
        long bits = Double.doubleToLongBits(number);
        int exponent = (int) (bits >> 52 & 0x7ff);
        long mantissa = bits & (1L << 52) - 1;
        String sign = bits < 0 ? "-" : "";
        if (number == 0) {
            return sign + "0x0.0p+0";
        }
        int power = exponent == 0 ? -1022 : exponent - 1023;
        return sign + (exponent == 0 ? "0x0." : "0x1.") + String.format("%013x", mantissa) + "p" + (power < 0 ? "" : "+") + power;
    }
}
