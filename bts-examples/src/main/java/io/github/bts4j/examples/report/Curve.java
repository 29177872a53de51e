package io.github.bts4j.examples.report;

import java.util.List;

/**
 * The training loss of one phase.
 *
 * @param phase the phase's name
 * @param points the losses in the order of the steps
 */
public record Curve(String phase, List<Point> points) {}
