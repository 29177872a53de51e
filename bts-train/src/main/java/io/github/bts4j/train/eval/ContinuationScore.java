package io.github.bts4j.train.eval;

/**
 * How a model finds a {@link Continuation}.
 *
 * @param logLikelihood natural logarithm of the probability of its tokens after the context's, at most 0
 * @param greedy whether greedy decoding gives exactly these tokens: each is the likeliest after the context and those before it
 */
public record ContinuationScore(double logLikelihood, boolean greedy) {}
