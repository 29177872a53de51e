package io.github.bts4j.core.generate;

/**
 * A token that may come next.
 *
 * @param id the token id
 * @param probability its probability, above 0 and at most 1
 */
public record TokenProbability(int id, double probability) {}
