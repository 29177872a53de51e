package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.math.BigInteger;

/** {@code range(start, stop, step)}; two are equal if they hold the same numbers. */
record Range(BigInteger start, BigInteger stop, BigInteger step, int size) {
    private static final int MAX_SIZE = 100_000;

    static Range of(BigInteger start, BigInteger stop, BigInteger step) {
        throwIf(step.signum() == 0, () -> Fault.value("range() arg 3 must not be zero"));
        BigInteger span = step.signum() > 0 ? stop.subtract(start) : start.subtract(stop);
        BigInteger size = span.signum() <= 0 ? BigInteger.ZERO : span.subtract(BigInteger.ONE).divide(step.abs()).add(BigInteger.ONE);
        throwIf(size.bitLength() > 31 || size.intValue() > MAX_SIZE,
                () -> Fault.overflow("Range too big. The sandbox blocks ranges larger than MAX_RANGE (" + MAX_SIZE + ")."));
        return new Range(start, stop, step, size.intValue());
    }

    BigInteger get(int index) {
        boolean small = start.bitLength() < 62 && step.bitLength() < 32;
        return small ? BigInteger.valueOf(start.longValue() + step.longValue() * index) : start.add(step.multiply(BigInteger.valueOf(index)));
    }

    /** Where a number is, -1 if it is not there. */
    int indexOf(BigInteger number) {
        BigInteger[] parts = number.subtract(start).divideAndRemainder(step);
        boolean inside = parts[1].signum() == 0 && parts[0].signum() >= 0 && parts[0].compareTo(BigInteger.valueOf(size)) < 0;
        return inside ? parts[0].intValue() : -1;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Range range && size == range.size
                && (size == 0 || start.equals(range.start) && (size == 1 || step.equals(range.step)));
    }

    @Override
    public int hashCode() {
        return size == 0 ? 0 : size == 1 ? start.hashCode() : 31 * start.hashCode() + 7 * step.hashCode() + size;
    }
}
