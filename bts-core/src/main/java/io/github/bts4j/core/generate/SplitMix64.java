package io.github.bts4j.core.generate;

/**
 * Steele, Lea and Flood's SplitMix64 ("Fast splittable pseudorandom number generators", OOPSLA 2014): written out, because Java promises the sequence of
 * {@code java.util.SplittableRandom} (which is this one) for no version, and the same seed has to give the same tokens on all of them.
 */
final class SplitMix64 {

    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private long state;

    SplitMix64(long seed) {
        state = seed;
    }

    /** The next 53 random bits as a number from 0 (inclusive) to 1 (exclusive). */
    double nextDouble() {
        return (nextLong() >>> 11) * 0x1p-53;
    }

    long nextLong() {
        state += GOLDEN_GAMMA;
        long mixed = state;
        mixed = (mixed ^ mixed >>> 30) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
        return mixed ^ mixed >>> 31;
    }
}
