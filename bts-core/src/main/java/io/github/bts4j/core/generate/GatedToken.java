package io.github.bts4j.core.generate;

import io.github.bts4j.core.GateWeights;

/**
 * A generated token with its gate weights: the weights of hub and experts when the model processed this token to predict the next one.
 *
 * @param token the token
 * @param gates the weights of this one token
 */
public record GatedToken(GeneratedToken token, GateWeights gates) {}
