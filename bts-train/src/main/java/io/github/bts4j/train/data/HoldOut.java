package io.github.bts4j.train.data;

import io.github.bts4j.core.support.SplitMix64;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A rule that selects documents to hold out for evaluation: a pure function of the dataset. Documents are never
 * divided.
 */
public sealed interface HoldOut permits HoldOut.EveryKth, HoldOut.Fraction {

    /**
     * The held-out documents.
     *
     * @param dataset the dataset to split
     * @return bit {@code i} is set when document {@code i} is held out
     */
    BitSet heldOut(TokenDataset dataset);

    /**
     * Every k-th document.
     *
     * @param k 2 or more
     * @return the rule
     */
    static HoldOut everyKth(int k) {
        return new EveryKth(k);
    }

    /**
     * A fraction of the documents, chosen by content.
     *
     * @param fraction share of the documents, between 0 and 1
     * @param seed seed of the choice
     * @return the rule
     */
    static HoldOut fraction(double fraction, long seed) {
        return new Fraction(fraction, seed);
    }

    /**
     * Holds out documents k, 2k, 3k, .., counted from 1.
     *
     * @param k 2 or more
     */
    record EveryKth(int k) implements HoldOut {

        /**
         * Checks the value.
         *
         * @param k 2 or more
         * @throws IllegalArgumentException if {@code k} is less than 2
         */
        public EveryKth {
            if (k < 2) {
                throw new IllegalArgumentException("k = " + k + " must be at least 2: 1 would hold out every document");
            }
        }

        @Override
        public BitSet heldOut(TokenDataset dataset) {
            BitSet held = new BitSet();
            for (long i = k - 1L; i < dataset.documentCount(); i += k) {
                held.set((int) i);
            }
            return held;
        }
    }

    /**
     * Holds out {@code round(fraction * documents)} documents, at least one, in the order of a hash of (seed, tokens).
     * Duplicates have the same hash and stay together, so none leaks into training.
     *
     * @param fraction share of the documents, between 0 and 1
     * @param seed seed of the choice
     */
    record Fraction(double fraction, long seed) implements HoldOut {

        /**
         * Checks the values.
         *
         * @param fraction share of the documents
         * @param seed seed of the choice
         * @throws IllegalArgumentException if {@code fraction} is not between 0 and 1
         */
        public Fraction {
            if (!(fraction > 0 && fraction < 1)) {
                throw new IllegalArgumentException("fraction = " + fraction + " must be between 0 and 1");
            }
        }

        @Override
        public BitSet heldOut(TokenDataset dataset) {
            int count = dataset.documentCount();
            long[] hashes = IntStream.range(0, count)
                    .mapToLong(i -> SplitMix64.key(seed, Arrays.stream(dataset.document(i)).asLongStream().toArray()))
                    .toArray();
            List<Integer> order = IntStream.range(0, count).boxed()
                    .sorted(Comparator.comparingLong(i -> hashes[i])).toList();
            long wanted = Math.max(1, Math.round(fraction * count));
            BitSet held = new BitSet();
            for (int rank = 0; rank < count; rank++) {
                boolean copyOfLast = rank > 0 && hashes[order.get(rank)] == hashes[order.get(rank - 1)];
                if (rank >= wanted && !copyOfLast) {
                    break;
                }
                held.set(order.get(rank));
            }
            return held;
        }
    }
}
