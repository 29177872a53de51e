package io.github.bts4j.train;

import io.github.bts4j.train.data.Batch;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Mean losses of one step, over all tokens and by domain. Not thread-safe. */
final class DomainLosses {
    private final List<String> domains;
    private final double[] sums;
    private final long[] counts;

    DomainLosses(List<String> domains) {
        this.domains = domains;
        this.sums = new double[domains.size()];
        this.counts = new long[domains.size()];
    }

    /** Adds the token losses of a micro-batch, [batch * sequence]. */
    void add(Batch batch, float[] losses) {
        int width = batch.sequenceLength();
        for (int i = 0; i < losses.length; i++) {
            if (batch.counts(i / width, i % width)) {
                int domain = batch.domains()[i / width];
                sums[domain] += losses[i];
                counts[domain]++;
            }
        }
    }

    double mean() {
        double sum = 0;
        long count = 0;
        for (int d = 0; d < sums.length; d++) {
            sum += sums[d];
            count += counts[d];
        }
        return sum / count;
    }

    /** Mean losses in nats per token of the domains that the step drew from. */
    Map<String, Double> byDomain() {
        Map<String, Double> means = new LinkedHashMap<>();
        for (int d = 0; d < sums.length; d++) {
            if (counts[d] > 0) {
                means.put(domains.get(d), sums[d] / counts[d]);
            }
        }
        return means;
    }
}
