package io.github.bts4j.examples.report;

/**
 * A point of a loss curve.
 *
 * @param step optimizer steps done
 * @param loss nats per token
 */
public record Point(long step, double loss) {}
