package io.github.bts4j.core.generate;

/**
 * A candidate for the next token.
 *
 * @param id the token id
 * @param probability its probability, above 0 and at most 1
 */
public record TokenProbability(int id, double probability) {}
