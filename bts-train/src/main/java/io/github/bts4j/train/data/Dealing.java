package io.github.bts4j.train.data;

import io.github.bts4j.core.support.SplitMix64;

/**
 * Samples segments of {@code stride} tokens from a ring of {@code size} tokens without replacement. An epoch has
 * {@code size / stride} segments in an order shuffled by (key, epoch). Unless they are fixed, each later epoch also shifts the
 * starts of the segments, so that the same tokens get other neighbours.
 */
record Dealing(int size, int stride, long key, boolean fixed) {

    long perEpoch() {
        return size / stride;
    }

    /** The first token of segment number {@code ordinal}. */
    int offset(long ordinal) {
        long epoch = ordinal / perEpoch();
        long place = new Permutation(perEpoch(), SplitMix64.key(key, epoch)).at(ordinal % perEpoch());
        long shift = epoch == 0 || fixed ? 0 : new SplitMix64(SplitMix64.key(key, epoch, 1)).nextInt(stride);
        return (int) ((shift + place * stride) % size);
    }
}
