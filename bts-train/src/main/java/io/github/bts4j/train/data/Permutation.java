package io.github.bts4j.train.data;

import io.github.bts4j.core.support.SplitMix64;

/**
 * A keyed permutation of the numbers 0 to {@code size - 1} that needs no memory: a Feistel network on the smallest even
 * number of bits that holds {@code size}, walked until the result is in range.
 */
record Permutation(long size, long key) {

    private static final int ROUNDS = 10;

    Permutation {
        if (size < 1) {
            throw new IllegalArgumentException("size = " + size + " must be at least 1");
        }
    }

    long at(long index) {
        if (size == 1) {
            return 0;
        }
        int half = Math.max(1, (65 - Long.numberOfLeadingZeros(size - 1)) / 2);
        long mask = (1L << half) - 1;
        long value = index;
        do {
            long left = value >>> half;
            long right = value & mask;
            for (int round = 0; round < ROUNDS; round++) {
                long next = left ^ (SplitMix64.key(key, round, right) & mask);
                left = right;
                right = next;
            }
            value = left << half | right;
        } while (value >= size);
        return value;
    }
}
