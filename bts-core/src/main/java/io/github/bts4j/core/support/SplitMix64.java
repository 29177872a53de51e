package io.github.bts4j.core.support;

/**
 * Steele, Lea and Flood's SplitMix64 ("Fast splittable pseudorandom number generators", OOPSLA 2014), and its mixing function as a hash for keys. Written out,
 * because Java promises the sequence of {@code java.util.SplittableRandom} (which is this one) for no version: the same seed has to give the same data and the
 * same tokens on all of them. Not thread-safe.
 */
public final class SplitMix64 {

    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    private long state;

    /**
     * A new sequence.
     *
     * @param seed decides all of it
     */
    public SplitMix64(long seed) {
        state = seed;
    }

    /**
     * The generator's finaliser.
     *
     * @param value any value
     * @return a bijection of it, every bit of which depends on all bits
     */
    public static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /**
     * A key that depends on each of the parts and on their order.
     *
     * @param seed the seed
     * @param parts numbers
     * @return the key
     */
    public static long key(long seed, long... parts) {
        long key = mix(seed + GAMMA);
        for (long part : parts) {
            key = mix(key + GAMMA + mix(part + GAMMA));
        }
        return key;
    }

    /**
     * A key of a name under a seed.
     *
     * @param seed the seed
     * @param name the name
     * @return the key
     */
    public static long key(long seed, String name) {
        return key(seed, name.chars().asLongStream().toArray());
    }

    /** {@return the next 64 random bits} */
    public long next() {
        state += GAMMA;
        return mix(state);
    }

    /** {@return the next 53 random bits as a number from 0 (inclusive) to 1 (exclusive)} */
    public double nextDouble() {
        return (next() >>> 11) * 0x1p-53;
    }

    /**
     * A number in [0, bound), every one equally likely (Lemire's method on 32 random bits).
     *
     * @param bound at least 1
     * @return the number
     */
    public int nextInt(int bound) {
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

    /**
     * Shuffles in place (Fisher and Yates).
     *
     * @param values what to shuffle
     */
    public void shuffle(int[] values) {
        for (int i = values.length - 1; i > 0; i--) {
            int j = nextInt(i + 1);
            int swapped = values[i];
            values[i] = values[j];
            values[j] = swapped;
        }
    }
}
