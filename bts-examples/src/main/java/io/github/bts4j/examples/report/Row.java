package io.github.bts4j.examples.report;

/**
 * A row of results.
 *
 * @param name the model
 * @param values one value per column; lower is better
 * @param detail what the model is
 */
public record Row(String name, double[] values, String detail) {}
