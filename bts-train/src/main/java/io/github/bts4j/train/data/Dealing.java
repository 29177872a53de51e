package io.github.bts4j.train.data;

import io.github.bts4j.core.support.SplitMix64;

/**
 * Deals stretches of {@code stride} tokens out of a ring of {@code size} tokens without replacement. An epoch has
 * {@code size / stride} stretches in an order shuffled by (key, epoch); each later epoch also moves the places where
 * stretches begin, so that the same tokens meet other neighbours, unless they are fixed.
 */
record Dealing(int size, int stride, long key, boolean fixed) {

    long perEpoch() {
        return size / stride;
    }

    /** The first token of the stretch that is dealt as number {@code ordinal}. */
    int offset(long ordinal) {
        long epoch = ordinal / perEpoch();
        long place = new Permutation(perEpoch(), SplitMix64.key(key, epoch)).at(ordinal % perEpoch());
        long shift = epoch == 0 || fixed ? 0 : new SplitMix64(SplitMix64.key(key, epoch, 1)).nextInt(stride);
        return (int) ((shift + place * stride) % size);
    }
}
