package io.github.bts4j.train.metrics;

/**
 * A histogram of values after a step.
 *
 * @param step optimizer steps done
 * @param name what was counted, such as {@code adam/all/update}
 * @param low lower end of the first bin
 * @param high upper end of the last bin
 * @param counts values in each of the bins, which are of equal width; not copied
 */
public record HistogramMetrics(long step, String name, double low, double high, double[] counts) {
    /**
     * Checks the values.
     *
     * @param step optimizer steps done
     * @param name what was counted
     * @param low lower end of the first bin
     * @param high upper end of the last bin
     * @param counts values in each of the bins
     * @throws IllegalArgumentException if there is no bin, or {@code low} is not below {@code high}
     */
    public HistogramMetrics {
        if (counts.length == 0 || !(low < high)) {
            throw new IllegalArgumentException("Histogram '" + name + "' has " + counts.length + " bins from " + low + " to " + high
                    + ": it needs at least one, and low < high");
        }
    }
}
