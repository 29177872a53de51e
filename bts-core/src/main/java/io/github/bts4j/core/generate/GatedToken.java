package io.github.bts4j.core.generate;

import io.github.bts4j.core.GateWeights;

/**
 * A generated token with its gate weights: how much the model listened to each of its parts when it read this token, to find the next one.
 *
 * @param token the token
 * @param gates the weights of this one token
 */
public record GatedToken(GeneratedToken token, GateWeights gates) {}
