package io.github.bts4j.train.eval;

/**
 * A model's score of a {@link Continuation}.
 *
 * @param logLikelihood natural logarithm of the probability of its tokens after the context's, at most 0
 * @param greedy whether greedy decoding gives exactly these tokens
 */
public record ContinuationScore(double logLikelihood, boolean greedy) {}
