package io.github.bts4j.examples.report;

/**
 * A token and the models its gate listens to.
 *
 * @param text the token's text, possibly empty
 * @param weights one weight per model, summing to one
 * @param domain the domain of the text it comes from, or an empty string
 */
public record GateToken(String text, float[] weights, String domain) {}
