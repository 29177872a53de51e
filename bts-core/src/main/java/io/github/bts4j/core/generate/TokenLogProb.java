package io.github.bts4j.core.generate;

/**
 * A token and its log-probability.
 *
 * @param id the token id
 * @param logProb the natural logarithm of its probability under the model's unmodified distribution
 */
public record TokenLogProb(int id, float logProb) {}
