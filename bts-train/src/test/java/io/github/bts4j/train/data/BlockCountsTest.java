package io.github.bts4j.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BlockCountsTest {

    private static double[] normalised(double... weights) {
        double sum = Arrays.stream(weights).sum();
        return Arrays.stream(weights).map(weight -> weight / sum).toArray();
    }

    @Test
    void paperMixHasTheShortestExactPeriod() {
        BlockCounts counts = new BlockCounts(normalised(15, 15, 15, 55), 2048);
        assertArrayEquals(new int[] {1536, 1536, 1536, 5632}, counts.shares());
        assertEquals(1536L * 1_000_000_000L, counts.before(5_000_000_000L, 0));
    }

    @Test
    void wholeCountsAreTheSameInEveryBlock() {
        BlockCounts counts = new BlockCounts(new double[] {0.25, 0, 0.75}, 8);
        for (int block = 0; block < 10; block++) {
            assertEquals(2, counts.in(block, 0));
            assertEquals(0, counts.in(block, 1));
            assertEquals(6, counts.in(block, 2));
        }
    }

    @Test
    void everyDomainStaysWithinOneSequenceOfItsShare() {
        for (int seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            int n = 1 + random.nextInt(12);
            double[] weights = normalised(IntStream.range(0, n)
                    .mapToDouble(d -> Math.pow(random.nextDouble(), 1 + random.nextInt(3)) + 1e-3).toArray());
            int blockSize = 1 << random.nextInt(12);
            BlockCounts counts = new BlockCounts(weights, blockSize);
            for (long block = 0; block < 3000; block++) {
                check(counts, weights, blockSize, block, "seed " + seed + " block " + block);
            }
        }
    }

    private static void check(BlockCounts counts, double[] weights, int blockSize, long block, String where) {
        int inBlock = 0;
        for (int d = 0; d < weights.length; d++) {
            assertTrue(counts.in(block, d) >= 0, where);
            assertEquals(counts.before(block + 1, d) - counts.before(block, d), counts.in(block, d), where);
            inBlock += counts.in(block, d);
            double sequences = (block + 1.0) * blockSize;
            // the second term is the resolution of the weights
            double tolerance = 1 + sequences / BlockCounts.MAX_PERIOD;
            assertEquals(weights[d] * sequences, counts.before(block + 1, d), tolerance, where + " domain " + d);
        }
        assertEquals(blockSize, inBlock, where);
    }

    @Test
    void representableWeightsNeverDrift() {
        double[] weights = normalised(1, 2, 4);
        BlockCounts counts = new BlockCounts(weights, 2048);
        for (long block = 1; block < 1L << 40; block = block * 3 + 1) {
            for (int d = 0; d < 3; d++) {
                long sevenths = block * 2048 * (1 << d);
                long before = counts.before(block, d);
                assertTrue(Math.abs(before * 7 - sevenths) < 7, "block " + block + " domain " + d + ": " + before);
            }
        }
    }
}
