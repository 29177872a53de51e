package io.github.bts4j.train.data;

import java.util.Arrays;
import java.util.BitSet;

/** The tokens of a dataset, in memory or on disk. Immutable and thread-safe. */
interface TokenStore {
    /** Number of tokens. */
    int size();

    /** Copies tokens {@code from} to {@code from + length - 1}, which exist. */
    void copy(int from, int length, int[] into, int at);

    /** On the heap. */
    record Heap(int[] tokens) implements TokenStore {
        @Override
        public int size() {
            return tokens.length;
        }

        @Override
        public void copy(int from, int length, int[] into, int at) {
            System.arraycopy(tokens, from, into, at, length);
        }
    }

    /**
     * Some documents of another store, one after the other.
     *
     * @param base store of their tokens
     * @param starts where each run of documents begins in the base
     * @param ends where each run ends in this store
     */
    record Selected(TokenStore base, int[] starts, int[] ends) implements TokenStore {
        static Selected of(TokenStore base, int[] documentEnds, BitSet chosen) {
            int[] starts = new int[chosen.cardinality()];
            int[] ends = new int[starts.length];
            int runs = 0;
            int size = 0;
            for (int first = chosen.nextSetBit(0); first >= 0;) {
                int end = chosen.nextClearBit(first);
                starts[runs] = first == 0 ? 0 : documentEnds[first - 1];
                size += documentEnds[end - 1] - starts[runs];
                ends[runs++] = size;
                first = chosen.nextSetBit(end);
            }
            return new Selected(base, Arrays.copyOf(starts, runs), Arrays.copyOf(ends, runs));
        }

        @Override
        public int size() {
            return ends.length == 0 ? 0 : ends[ends.length - 1];
        }

        @Override
        public void copy(int from, int length, int[] into, int at) {
            int found = Arrays.binarySearch(ends, from);
            int run = found >= 0 ? found + 1 : -found - 1;
            for (int done = 0; done < length; run++) {
                int start = run == 0 ? 0 : ends[run - 1];
                int within = from + done - start;
                int part = Math.min(length - done, ends[run] - start - within);
                base.copy(starts[run] + within, part, into, at + done);
                done += part;
            }
        }
    }
}
