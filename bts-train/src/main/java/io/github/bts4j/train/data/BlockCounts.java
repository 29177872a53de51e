package io.github.bts4j.train.data;

import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The number of sequences of each domain in the blocks of a mix.
 *
 * <p>Weights become whole shares of a period of several blocks: the shortest period that fits them, or, where none up to
 * {@value #MAX_PERIOD} sequences does, that one with its sequences divided by largest remainder. Inside a period the
 * sequences are given out one by one by Tijdeman's rule for the chairman assignment problem (Discrete Mathematics 32,
 * 1980), which keeps every domain within less than one sequence of its exact share at every point; a block's count is
 * the number that falls into it. At the end of a period all remainders are zero, so one table is enough.
 */
final class BlockCounts {

    /** Sequences of the longest period, and so the resolution of weights. */
    static final int MAX_PERIOD = 1 << 20;

    /** A weight fits a period when its share is this close to a whole number of sequences. */
    private static final double FITS = 1e-6;

    private final int blocks;
    private final int[] shares;
    private final int[][] before;

    BlockCounts(double[] weights, int blockSize) {
        blocks = period(weights, blockSize);
        shares = shares(weights, blockSize * blocks);
        before = table(blockSize);
    }

    /** Sequences of a period that each domain gets. */
    int[] shares() {
        return shares.clone();
    }

    /** Sequences of a domain in blocks 0 to block - 1. */
    long before(long block, int domain) {
        return block / blocks * shares[domain] + before[(int) (block % blocks)][domain];
    }

    /** Sequences of a domain in one block. */
    int in(long block, int domain) {
        int row = (int) (block % blocks);
        return before[row + 1][domain] - before[row][domain];
    }

    private static int period(double[] weights, int blockSize) {
        int longest = Math.max(1, MAX_PERIOD / blockSize);
        for (int candidate = 1; candidate < longest; candidate++) {
            int sequences = blockSize * candidate;
            long sum = 0;
            boolean fits = true;
            for (int d = 0; fits && d < weights.length; d++) {
                double exact = weights[d] * sequences;
                sum += Math.round(exact);
                fits = Math.abs(exact - Math.rint(exact)) <= FITS;
            }
            if (fits && sum == sequences) {
                return candidate;
            }
        }
        return longest;
    }

    /** Largest remainder: whole parts first, what is left to the largest fractions, ties to the first domain. */
    private static int[] shares(double[] weights, int sequences) {
        double[] exact = IntStream.range(0, weights.length).mapToDouble(d -> snap(weights[d] * sequences)).toArray();
        int[] shares = IntStream.range(0, weights.length).map(d -> (int) Math.floor(exact[d])).toArray();
        int left = sequences - IntStream.of(shares).sum();
        IntStream.range(0, weights.length).boxed()
                .sorted(Comparator.comparingDouble(d -> shares[d] - exact[d]))
                .limit(left)
                .forEach(d -> shares[d]++);
        return shares;
    }

    private static double snap(double exact) {
        return Math.abs(exact - Math.rint(exact)) <= FITS ? Math.rint(exact) : exact;
    }

    private int[][] table(int blockSize) {
        int[] drawn = IntStream.range(0, shares.length).filter(d -> shares[d] > 0).toArray();
        int[][] table = new int[blocks + 1][shares.length];
        int[] counts = new int[shares.length];
        for (int block = 0; block < blocks; block++) {
            for (int i = 1; i <= blockSize; i++) {
                counts[chair(drawn, counts, (long) block * blockSize + i, (long) blocks * blockSize)]++;
            }
            table[block + 1] = counts.clone();
        }
        return table;
    }

    /**
     * Tijdeman's choice for place {@code place} (from 1): of the domains whose deficit is at least 1 / (2n - 2), the one
     * that must be served soonest. Deficits are whole numbers in units of 1 / period.
     */
    private int chair(int[] drawn, int[] counts, long place, long period) {
        if (drawn.length == 1) {
            return drawn[0];
        }
        long scale = 2L * drawn.length - 2;
        int best = -1;
        long bestSlack = 0;
        for (int d : drawn) {
            long deficit = scale * (shares[d] * place - period * counts[d]);
            long slack = (scale - 1) * period - deficit;
            // slack / share < bestSlack / bestShare
            if (deficit >= period && (best < 0 || slack * shares[best] < bestSlack * shares[d])) {
                best = d;
                bestSlack = slack;
            }
        }
        return best;
    }
}
