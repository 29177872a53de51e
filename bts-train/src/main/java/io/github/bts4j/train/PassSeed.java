package io.github.bts4j.train;

/** A seed for every pass of a run. */
final class PassSeed {
    private PassSeed() {}

    /** The finaliser of SplitMix64 over seed, step and pass. */
    static long of(long seed, long step, int pass) {
        long z = seed * 0x9E3779B97F4A7C15L + step * 0xD1B54A32D192ED03L + pass;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
