package io.github.bts4j.core.constraint;

import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * A JSON number between bounds, a multiple of some number, without an exponent: so many digits before the point, and at most so many behind it. Amounts are whole
 * numbers of units of the last digit behind the point.
 */
final class NumberRule extends Terminal {
    private static final long[] POWERS = powers();
    private static final int INTEGER_DIGITS = 15;
    private static final int FRACTION_DIGITS = 6;
    private static final int DIGITS_BEFORE_FRACTION = 11;

    private final int fraction; // most digits behind the point
    private final int whole; // most digits before it
    private final long least;
    private final long most;
    private final long step;
    private final boolean empty;

    /** What was read last. */
    private enum Part { BEGIN, SIGN, WHOLE, POINT, FRACTION }

    /**
     * A place.
     *
     * @param part what was read last
     * @param negative whether the number has a sign
     * @param digits read before the point, or behind it
     * @param value of the digits; -1 if all further digits are allowed
     */
    private record At(Part part, boolean negative, int digits, long value) {}

    /**
     * Describes a number.
     *
     * @param integer whether it has no point
     * @param low the smallest, null for no bound
     * @param high the largest, null for no bound
     * @param multipleOf what it is a multiple of, null for any
     * @throws IllegalArgumentException if the multiple has too many digits
     */
    NumberRule(boolean integer, BigDecimal low, boolean above, BigDecimal high, boolean below, BigDecimal multipleOf) {
        fraction = integer ? 0 : FRACTION_DIGITS;
        whole = integer ? INTEGER_DIGITS : DIGITS_BEFORE_FRACTION;
        long end = POWERS[whole + fraction] - 1;
        least = low == null ? -end : bound(low, above, RoundingMode.CEILING, end);
        most = high == null ? end : bound(high, below, RoundingMode.FLOOR, end);
        step = multipleOf == null ? 1 : step(multipleOf, integer, end);
        empty = !feasible(false, 0, end) && !feasible(true, 0, end);
    }

    private static long[] powers() {
        long[] powers = new long[19];
        powers[0] = 1;
        for (int i = 1; i < powers.length; i++) {
            powers[i] = powers[i - 1] * 10;
        }
        return powers;
    }

    private long bound(BigDecimal value, boolean excluded, RoundingMode inwards, long end) {
        BigDecimal units = value.movePointRight(fraction);
        if (units.abs().compareTo(BigDecimal.valueOf(end)) > 0) {
            return units.signum() < 0 ? -end - (inwards == RoundingMode.FLOOR ? 1 : 0) : end + (inwards == RoundingMode.CEILING ? 1 : 0);
        }
        long bound = units.setScale(0, inwards).longValueExact();
        boolean exact = BigDecimal.valueOf(bound).compareTo(units) == 0;
        return bound + (excluded && exact ? inwards == RoundingMode.CEILING ? 1 : -1 : 0);
    }

    private static long step(BigDecimal multipleOf, boolean integer, long end) {
        BigDecimal exact = multipleOf.stripTrailingZeros();
        int digits = integer ? 0 : FRACTION_DIGITS;
        if (integer && exact.scale() > 0) { // whole multiples of 2.5 are those of 5
            exact = BigDecimal.valueOf(exact.scale() > INTEGER_DIGITS ? -1 : wholeStep(exact));
        }
        BigDecimal units = exact.movePointRight(digits);
        if (units.signum() <= 0 || units.stripTrailingZeros().scale() > 0 || units.compareTo(BigDecimal.valueOf(end)) > 0) {
            throw new IllegalArgumentException("must be a positive number with at most " + FRACTION_DIGITS + " digits behind the point");
        }
        return units.longValueExact();
    }

    /** The smallest whole multiple. */
    private static long wholeStep(BigDecimal exact) {
        java.math.BigInteger numerator = exact.unscaledValue();
        java.math.BigInteger denominator = java.math.BigInteger.TEN.pow(exact.scale());
        java.math.BigInteger multiple = numerator.divide(numerator.gcd(denominator));
        return multiple.bitLength() < 60 ? multiple.longValue() : -1;
    }

    /** Whether no number fits. */
    boolean isEmpty() {
        return empty;
    }

    /** Whether a number of this sign has an amount between two bounds. */
    private boolean feasible(boolean negative, long from, long to) {
        long low = Math.max(from, negative ? Math.max(1, -most) : Math.max(0, least));
        long high = Math.min(to, negative ? -least : most);
        return low <= high && (low + step - 1) / step * step <= high;
    }

    @Override
    Object begin() {
        return new At(Part.BEGIN, false, 0, 0);
    }

    @Override
    Object next(Object place, int value) {
        At at = (At) place;
        boolean digit = value >= '0' && value <= '9';
        return switch (at.part) {
            case BEGIN -> value == '-' ? sign() : digit ? whole(at, value - '0') : null;
            case SIGN -> digit ? whole(at, value - '0') : null;
            case WHOLE -> digit ? whole(at, value - '0') : value == '.' ? point(at) : null;
            case POINT, FRACTION -> digit ? fraction(at, value - '0') : null;
        };
    }

    private At sign() {
        return feasible(true, 0, POWERS[whole + fraction] - 1) ? new At(Part.SIGN, true, 0, 0) : null;
    }

    private At whole(At at, int digit) {
        if (at.part == Part.WHOLE && at.value == 0 || at.digits == whole) {
            return null; // no digit after a leading zero
        }
        if (at.value < 0) {
            return new At(Part.WHOLE, at.negative, at.digits + 1, -1);
        }
        long value = at.value * 10 + digit;
        int digits = at.digits + 1;
        boolean possible = false;
        for (int more = 0; more <= (value == 0 ? 0 : whole - digits) && !possible; more++) {
            long unit = POWERS[more + fraction];
            possible = feasible(at.negative, value * unit, value * unit + unit - 1);
        }
        boolean all = value > 0 && step == 1 && value * POWERS[fraction] >= (at.negative ? -most : least)
                && (at.negative ? -least : most) >= POWERS[whole + fraction] - 1;
        return possible ? new At(Part.WHOLE, at.negative, digits, all ? -1 : value) : null;
    }

    private At point(At at) {
        if (fraction == 0) {
            return null;
        }
        long unit = POWERS[fraction];
        if (at.value < 0 || fits(at, at.value * unit) && fits(at, at.value * unit + unit - 1) && step == 1) {
            return new At(Part.POINT, at.negative, 0, -1);
        }
        return feasible(at.negative, at.value * unit, at.value * unit + unit - 1) ? new At(Part.POINT, at.negative, 0, at.value) : null;
    }

    private boolean fits(At at, long amount) {
        return feasible(at.negative, amount, amount);
    }

    private At fraction(At at, int digit) {
        int digits = at.digits + 1;
        if (digits > fraction) {
            return null;
        }
        if (at.value < 0) {
            return new At(Part.FRACTION, at.negative, digits, -1);
        }
        long value = at.value * 10 + digit;
        long unit = POWERS[fraction - digits];
        return feasible(at.negative, value * unit, value * unit + unit - 1) ? new At(Part.FRACTION, at.negative, digits, value) : null;
    }

    @Override
    boolean accepts(Object place) {
        At at = (At) place;
        return switch (at.part) {
            case WHOLE -> at.value < 0 || fits(at, at.value * POWERS[fraction]);
            case FRACTION -> at.value < 0 || fits(at, at.value * POWERS[fraction - at.digits]);
            default -> false;
        };
    }

    @Override
    boolean goesOn(Object place) {
        for (int digit = '0'; digit <= '9'; digit++) {
            if (next(place, digit) != null) {
                return true;
            }
        }
        return next(place, '.') != null || next(place, '-') != null;
    }
}
