package io.github.bts4j.core.generate;

/**
 * A token and how likely the model finds it.
 *
 * @param id the token id
 * @param logProb the natural logarithm of its probability under the model's unmodified distribution
 */
public record TokenLogProb(int id, float logProb) {}
