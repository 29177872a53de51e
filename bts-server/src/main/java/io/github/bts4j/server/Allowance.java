package io.github.bts4j.server;

import java.util.function.LongSupplier;

/** So many per minute: a bucket that fills evenly and holds at most a minute's allowance. It may be overdrawn. Thread-safe. */
final class Allowance {
    private static final double NANOS_PER_MINUTE = 60e9;

    private final int perMinute;
    private final LongSupplier nanos;
    private double left;
    private long then;

    /** A full bucket, with the time in nanoseconds. */
    Allowance(int perMinute, LongSupplier nanos) {
        this.perMinute = perMinute;
        this.nanos = nanos;
        this.left = perMinute;
        this.then = nanos.getAsLong();
    }

    private void fill() {
        long now = nanos.getAsLong();
        left = Math.min(perMinute, left + perMinute * ((now - then) / NANOS_PER_MINUTE));
        then = now;
    }

    /** How many seconds until there is one; 0 if there is one now. */
    synchronized long secondsUntilOne() {
        fill();
        return isUnlimited() || left >= 1 ? 0 : Math.max(1, (long) Math.ceil((1 - left) * 60 / perMinute));
    }

    synchronized void use(long count) {
        fill();
        left -= count;
    }

    private boolean isUnlimited() {
        return perMinute == Integer.MAX_VALUE;
    }
}
