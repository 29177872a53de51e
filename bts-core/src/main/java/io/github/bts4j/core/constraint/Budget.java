package io.github.bts4j.core.constraint;

/** Bounds the work and the memory of a compilation. Not thread-safe. */
final class Budget {
    static final long EDGE = 60;
    static final long LITERAL_BYTE = 150;
    static final long SCHEMA = 300;

    private static final long MOST = 30_000_000;

    private long used;

    /** Uses some units, of which one is about a nanosecond or a byte. */
    void use(long units) {
        used += units;
        if (used > MOST) {
            throw new IllegalArgumentException("it is too complex: fewer alternatives, patterns, lengths or values are needed");
        }
    }
}
