package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;

/** Python's arithmetic on integers of any size (within limits) and floats. */
final class Numbers {
    private static final int MAX_BITS = 65_536;

    private Numbers() {}

    /** The integer that a whole number or boolean is. */
    static BigInteger integer(Object value) {
        return value instanceof Boolean bool ? bool ? BigInteger.ONE : BigInteger.ZERO : (BigInteger) value;
    }

    static boolean isInteger(Object value) {
        return value instanceof BigInteger || value instanceof Boolean;
    }

    /** A value where Python takes integers only. */
    static BigInteger index(Object value) {
        throwIf(!isInteger(value), () -> Fault.type("'" + Types.name(value) + "' object cannot be interpreted as an integer"));
        return integer(value);
    }

    static int clipped(BigInteger value) {
        return value.bitLength() < 32 ? value.intValue() : value.signum() > 0 ? Integer.MAX_VALUE : Integer.MIN_VALUE;
    }

    static double real(Object value) {
        if (value instanceof Double number) {
            return number;
        }
        double real = integer(value).doubleValue();
        throwIf(Double.isInfinite(real), () -> Fault.overflow("int too large to convert to float"));
        return real;
    }

    private static BigInteger bounded(BigInteger value) {
        throwIf(value.bitLength() > MAX_BITS, () -> Fault.limit("an integer of more than " + MAX_BITS + " bits"));
        return value;
    }

    /** {@code left operator right} of two numbers. */
    static Object calculate(Budget budget, String operator, Object left, Object right) {
        if (left instanceof Double || right instanceof Double) {
            return calculate(operator, real(left), real(right));
        }
        BigInteger a = integer(left);
        BigInteger b = integer(right);
        budget.steps((a.bitLength() + (long) b.bitLength()) / 64);
        return switch (operator) {
            case "+" -> bounded(a.add(b));
            case "-" -> bounded(a.subtract(b));
            case "*" -> {
                budget.steps((long) a.bitLength() * b.bitLength() / 65_536);
                yield bounded(a.multiply(b));
            }
            case "/" -> divide(a, b);
            case "//" -> floorDivide(budget, a, b);
            case "%" -> modulo(budget, a, b);
            default -> power(budget, a, b);
        };
    }

    private static void requireNotZero(boolean zero, String message) {
        throwIf(zero, () -> new Fault(Fault.Kind.ARITHMETIC, message));
    }

    private static Object divide(BigInteger a, BigInteger b) {
        requireNotZero(b.signum() == 0, "division by zero");
        int digits = 30 + Math.max(0, b.bitLength() - a.bitLength()) / 3;
        double quotient = a.bitLength() < 54 && b.bitLength() < 54 ? a.doubleValue() / b.doubleValue()
                : new BigDecimal(a).divide(new BigDecimal(b), new java.math.MathContext(Math.min(digits, 1200), RoundingMode.HALF_EVEN)).doubleValue();
        throwIf(Double.isInfinite(quotient), () -> Fault.overflow("integer division result too large for a float"));
        return quotient;
    }

    private static BigInteger floorDivide(Budget budget, BigInteger a, BigInteger b) {
        requireNotZero(b.signum() == 0, "integer division or modulo by zero");
        budget.steps((long) a.bitLength() * b.bitLength() / 65_536);
        BigInteger[] parts = a.divideAndRemainder(b);
        return parts[1].signum() != 0 && parts[1].signum() != b.signum() ? parts[0].subtract(BigInteger.ONE) : parts[0];
    }

    private static BigInteger modulo(Budget budget, BigInteger a, BigInteger b) {
        return a.subtract(floorDivide(budget, a, b).multiply(b));
    }

    private static Object power(Budget budget, BigInteger a, BigInteger b) {
        if (b.signum() < 0) {
            requireNotZero(a.signum() == 0, "0.0 cannot be raised to a negative power");
            return calculate("**", real(a), real(b));
        }
        boolean small = a.abs().bitLength() <= 1;
        if (small) {
            return a.signum() == 0 ? (b.signum() == 0 ? BigInteger.ONE : a) : a.signum() > 0 || !b.testBit(0) ? BigInteger.ONE : a;
        }
        throwIf(b.bitLength() > 20 || (long) a.bitLength() * b.intValue() > MAX_BITS + 64L,
                () -> Fault.limit("an integer of more than " + MAX_BITS + " bits"));
        budget.steps((long) a.bitLength() * b.intValue() / 16);
        return bounded(a.pow(b.intValue()));
    }

    private static Object calculate(String operator, double a, double b) {
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> {
                requireNotZero(b == 0, "float division by zero");
                yield a / b;
            }
            case "//" -> {
                requireNotZero(b == 0, "float floor division by zero");
                yield floorDivide(a, b);
            }
            case "%" -> {
                requireNotZero(b == 0, "float modulo");
                yield modulo(a, b);
            }
            default -> power(a, b);
        };
    }

    private static double modulo(double a, double b) {
        double rest = a % b;
        if (rest == 0) {
            return Math.copySign(0.0, b);
        }
        return (rest < 0) != (b < 0) ? rest + b : rest;
    }

    private static double floorDivide(double a, double b) {
        double rest = a % b;
        double quotient = (a - rest) / b;
        if (rest != 0 && (rest < 0) != (b < 0)) {
            quotient -= 1;
        }
        if (quotient == 0) {
            return Math.copySign(0.0, a / b);
        }
        double floor = Math.floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    private static double power(double a, double b) {
        requireNotZero(a == 0 && b < 0, "0.0 cannot be raised to a negative power");
        throwIf(a < 0 && !Double.isInfinite(a) && !Double.isInfinite(b) && b != Math.rint(b),
                () -> Fault.value("a negative number to a broken power is complex, which templates do not have here"));
        double power = a == 1 || a == -1 && Double.isInfinite(b) ? 1 : Math.pow(a, b);
        throwIf(Double.isInfinite(power) && !Double.isInfinite(a) && !Double.isInfinite(b),
                () -> Fault.overflow("(34, 'Numerical result out of range')"));
        return power;
    }

    /** {@code int(value)} of a float. */
    static BigInteger truncated(double value) {
        throwIf(Double.isNaN(value), () -> Fault.value("cannot convert float NaN to integer"));
        throwIf(Double.isInfinite(value), () -> Fault.overflow("cannot convert float infinity to integer"));
        return new BigDecimal(value).toBigInteger();
    }

    /** {@code round(value, digits)}, half to even. */
    static Object round(Object value, BigInteger digits) {
        int places = Math.max(-100_000, Math.min(100_000, clipped(digits)));
        if (isInteger(value)) {
            BigInteger number = integer(value);
            if (places >= 0) {
                return number;
            }
            return -places > 20_000 ? BigInteger.ZERO : new BigDecimal(number).setScale(places, RoundingMode.HALF_EVEN).toBigInteger();
        }
        double number = (Double) value;
        if (Double.isNaN(number) || Double.isInfinite(number) || number == 0 || places > 330) {
            return number;
        }
        double rounded = places < -310 ? 0 : new BigDecimal(number).setScale(places, RoundingMode.HALF_EVEN).doubleValue();
        throwIf(Double.isInfinite(rounded), () -> Fault.overflow("rounded value too large to represent"));
        return Math.copySign(rounded, number);
    }
}
