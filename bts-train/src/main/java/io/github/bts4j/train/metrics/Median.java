package io.github.bts4j.train.metrics;

import java.util.Collection;
import java.util.stream.DoubleStream;

/** The median of measured values: the one in the middle, or the mean of the two in the middle. */
public final class Median {
    private Median() {}

    /**
     * Computes it.
     *
     * @param values at least one value, in any order, which does not change
     * @return the median
     * @throws IllegalArgumentException if there is no value
     */
    public static double of(double... values) {
        return of(DoubleStream.of(values));
    }

    /**
     * Computes it.
     *
     * @param values at least one value, in any order
     * @return the median
     * @throws IllegalArgumentException if there is no value
     */
    public static double of(Collection<Double> values) {
        return of(values.stream().mapToDouble(Double::doubleValue));
    }

    private static double of(DoubleStream values) {
        double[] sorted = values.sorted().toArray();
        if (sorted.length == 0) {
            throw new IllegalArgumentException("The median of no values is asked for: give at least one");
        }
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
