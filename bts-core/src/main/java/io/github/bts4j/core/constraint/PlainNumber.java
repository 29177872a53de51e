package io.github.bts4j.core.constraint;

/** A JSON number of any value, with up to 15 digits before the point, 15 behind it, and an exponent of up to 2 digits; or a whole number without point and exponent. */
final class PlainNumber extends Terminal {
    private static final int MOST_DIGITS = 15;
    private static final int EXPONENT_DIGITS = 2;

    private final boolean integer;

    /** What was read last. */
    private enum Part { BEGIN, SIGN, ZERO, WHOLE, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, EXPONENT_DIGITS }

    /** A place: what was read last, and how many digits of it. */
    private record At(Part part, int digits) {}

    PlainNumber(boolean integer) {
        this.integer = integer;
    }

    @Override
    Object begin() {
        return new At(Part.BEGIN, 0);
    }

    @Override
    Object next(Object place, int value) {
        At at = (At) place;
        boolean digit = value >= '0' && value <= '9';
        return switch (at.part) {
            case BEGIN -> value == '-' ? new At(Part.SIGN, 0) : digit ? first(value) : null;
            case SIGN -> digit && !(integer && value == '0') ? first(value) : null;
            case ZERO, WHOLE -> digit ? at.part == Part.WHOLE ? more(at, Part.WHOLE, MOST_DIGITS) : null : integer ? null : value == '.' ? new At(Part.POINT, 0) : exponent(value);
            case POINT -> digit ? new At(Part.FRACTION, 1) : null;
            case FRACTION -> digit ? more(at, Part.FRACTION, MOST_DIGITS) : exponent(value);
            case EXPONENT -> digit ? new At(Part.EXPONENT_DIGITS, 1) : value == '+' || value == '-' ? new At(Part.EXPONENT_SIGN, 0) : null;
            case EXPONENT_SIGN -> digit ? new At(Part.EXPONENT_DIGITS, 1) : null;
            case EXPONENT_DIGITS -> digit ? more(at, Part.EXPONENT_DIGITS, EXPONENT_DIGITS) : null;
        };
    }

    private static At first(int value) {
        return value == '0' ? new At(Part.ZERO, 1) : new At(Part.WHOLE, 1);
    }

    private static At more(At at, Part part, int most) {
        return at.digits < most ? new At(part, at.digits + 1) : null;
    }

    private static At exponent(int value) {
        return value == 'e' || value == 'E' ? new At(Part.EXPONENT, 0) : null;
    }

    @Override
    boolean accepts(Object place) {
        return switch (((At) place).part) {
            case ZERO, WHOLE, FRACTION, EXPONENT_DIGITS -> true;
            default -> false;
        };
    }

    @Override
    boolean goesOn(Object place) {
        At at = (At) place;
        return integer ? at.part != Part.ZERO && (at.part != Part.WHOLE || at.digits < MOST_DIGITS) : at.part != Part.EXPONENT_DIGITS || at.digits < EXPONENT_DIGITS;
    }
}
