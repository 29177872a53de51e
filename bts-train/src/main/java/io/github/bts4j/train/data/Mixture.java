package io.github.bts4j.train.data;

import java.util.Optional;

/** The endless list of sequences that one set of weights gives, block after block. Safe for use by many threads. */
final class Mixture {
    private final BlockCounts counts;
    private final int numDomains;
    private final int blockSize;
    private final long seed;
    /** The most recently used plan; any thread may replace it. */
    private volatile Optional<BlockPlan> lastPlan = Optional.empty();

    Mixture(double[] weights, int blockSize, long seed) {
        this.counts = new BlockCounts(weights, blockSize);
        this.numDomains = weights.length;
        this.blockSize = blockSize;
        this.seed = seed;
    }

    /** Sequences of a period that each domain gets. */
    int[] shares() {
        return counts.shares();
    }

    /** The entry of the list at an index, from 0. */
    Draw at(long index) {
        long block = index / blockSize;
        int place = (int) (index % blockSize);
        BlockPlan plan = plan(block);
        int domain = plan.domains()[place];
        return new Draw(domain, counts.before(block, domain) + plan.ranks()[place]);
    }

    /** How many of the sequences 0 to index - 1 each domain has. */
    long[] before(long index) {
        long block = index / blockSize;
        int place = (int) (index % blockSize);
        long[] drawn = new long[numDomains];
        for (int d = 0; d < numDomains; d++) {
            drawn[d] = counts.before(block, d);
        }
        if (place > 0) {
            int[] domains = plan(block).domains();
            for (int i = 0; i < place; i++) {
                drawn[domains[i]]++;
            }
        }
        return drawn;
    }

    private BlockPlan plan(long block) {
        Optional<BlockPlan> known = lastPlan;
        if (known.isPresent() && known.get().block() == block) {
            return known.get();
        }
        BlockPlan plan = BlockPlan.of(counts, numDomains, blockSize, seed, block);
        lastPlan = Optional.of(plan);
        return plan;
    }
}
