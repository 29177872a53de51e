package io.github.bts4j.train.data;

import io.github.bts4j.core.support.SplitMix64;
import java.util.Arrays;

/**
 * The order of the sequences inside one block.
 *
 * @param block number of the block
 * @param domains index of the domain at every place
 * @param ranks how many sequences of the same domain come before it in the block
 */
record BlockPlan(long block, int[] domains, int[] ranks) {

    static BlockPlan of(BlockCounts counts, int numDomains, int blockSize, long seed, long block) {
        int[] domains = new int[blockSize];
        int filled = 0;
        for (int d = 0; d < numDomains; d++) {
            int count = counts.in(block, d);
            Arrays.fill(domains, filled, filled + count, d);
            filled += count;
        }
        new SplitMix64(SplitMix64.key(seed, block)).shuffle(domains);
        int[] ranks = new int[blockSize];
        int[] seen = new int[numDomains];
        for (int i = 0; i < blockSize; i++) {
            ranks[i] = seen[domains[i]]++;
        }
        return new BlockPlan(block, domains, ranks);
    }
}
