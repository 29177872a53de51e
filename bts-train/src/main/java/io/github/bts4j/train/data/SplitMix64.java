package io.github.bts4j.train.data;

/**
 * The SplitMix64 generator (Steele, Lea, Flood 2014), written out so that a seed deals the same data on every Java
 * version, and its mixing function as a hash for keys.
 */
final class SplitMix64 {

    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    private long state;

    SplitMix64(long seed) {
        state = seed;
    }

    static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** A key that depends on each of the parts and on their order. */
    static long key(long seed, long... parts) {
        long key = mix(seed + GAMMA);
        for (long part : parts) {
            key = mix(key + GAMMA + mix(part + GAMMA));
        }
        return key;
    }

    /** A key of a name under a seed. */
    static long key(long seed, String name) {
        return key(seed, name.chars().asLongStream().toArray());
    }

    long next() {
        state += GAMMA;
        return mix(state);
    }

    /** A number in [0, bound), every one equally likely (Lemire's method on 32 random bits). */
    int nextInt(int bound) {
        long product = (next() >>> 32) * bound;
        long low = product & 0xFFFFFFFFL;
        if (low < bound) {
            long threshold = ((1L << 32) - bound) % bound;
            while (low < threshold) {
                product = (next() >>> 32) * bound;
                low = product & 0xFFFFFFFFL;
            }
        }
        return (int) (product >>> 32);
    }

    /** Shuffles in place (Fisher and Yates). */
    void shuffle(int[] values) {
        for (int i = values.length - 1; i > 0; i--) {
            int j = nextInt(i + 1);
            int swapped = values[i];
            values[i] = values[j];
            values[j] = swapped;
        }
    }
}
