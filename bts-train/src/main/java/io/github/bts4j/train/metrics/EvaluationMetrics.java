package io.github.bts4j.train.metrics;

import java.util.Map;

/**
 * The numbers of one evaluation on held-out text.
 *
 * @param step optimizer steps done before the evaluation, 0 or more
 * @param loss mean next-token cross-entropy over all domains' tokens, in nats
 * @param lossByDomain the same by domain
 * @param bitsPerByteByDomain loss by domain in bits per byte of UTF-8 text
 * @param extra further numbers by name
 */
public record EvaluationMetrics(long step, double loss, Map<String, Double> lossByDomain,
                                Map<String, Double> bitsPerByteByDomain, Map<String, Double> extra) {

    /**
     * Checks and copies the values; maps keep their order.
     *
     * @param step optimizer steps done before the evaluation
     * @param loss mean next-token cross-entropy over all domains' tokens
     * @param lossByDomain the same by domain
     * @param bitsPerByteByDomain loss by domain in bits per byte of UTF-8 text
     * @param extra further numbers by name
     * @throws IllegalArgumentException if {@code step} is negative
     */
    public EvaluationMetrics {
        if (step < 0) {
            throw new IllegalArgumentException("step = " + step + " must not be negative");
        }
        lossByDomain = OrderedMaps.copy("lossByDomain", lossByDomain);
        bitsPerByteByDomain = OrderedMaps.copy("bitsPerByteByDomain", bitsPerByteByDomain);
        extra = OrderedMaps.copy("extra", extra);
    }
}
