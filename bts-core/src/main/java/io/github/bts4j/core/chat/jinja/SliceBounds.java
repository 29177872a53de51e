package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.math.BigInteger;

/** A slice of a sequence of known length: where it begins, where it ends, and how many elements it has. */
record SliceBounds(int start, int stop, int step, int count) {
    static SliceBounds of(Object start, Object stop, Object step, int length) {
        int by = step == null ? 1 : bound(step);
        throwIf(by == 0, () -> Fault.value("slice step cannot be zero"));
        by = Math.max(by, -Integer.MAX_VALUE);
        int from = start == null ? by > 0 ? 0 : length - 1 : within(bound(start), length, by);
        int to = stop == null ? by > 0 ? length : -1 : within(bound(stop), length, by);
        long count = by > 0 ? ((long) to - from + by - 1) / by : ((long) from - to - by - 1) / -(long) by;
        return new SliceBounds(from, to, by, (int) Math.max(0, by > 0 && to <= from || by < 0 && to >= from ? 0 : count));
    }

    private static int bound(Object value) {
        throwIf(value instanceof Undefined || !Numbers.isInteger(value),
                () -> Fault.type("slice indices must be integers or None or have an __index__ method"));
        BigInteger number = Numbers.integer(value);
        return Numbers.clipped(number);
    }

    private static int within(int index, int length, int step) {
        long at = index < 0 ? (long) index + length : index;
        if (at < 0) {
            return step < 0 ? -1 : 0;
        }
        return (int) Math.min(at, step < 0 ? length - 1 : length);
    }

    int index(int position) {
        return start + position * step;
    }
}
