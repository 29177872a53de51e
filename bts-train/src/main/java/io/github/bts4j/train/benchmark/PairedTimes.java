package io.github.bts4j.train.benchmark;

import java.util.Arrays;
import java.util.function.DoubleSupplier;

/**
 * Times of a computation, each measured right after a limit of the machine. A shared machine's speed changes from second to second, so a share of the limit
 * is the median over these pairs.
 *
 * @param limits what the machine reached, per second
 * @param seconds what the computation took
 */
public record PairedTimes(double[] limits, double[] seconds) {
    /**
     * Measures a number of pairs; one before them warms up and does not count.
     *
     * @param count number of pairs
     * @param limit measures the limit, per second
     * @param seconds computes, and gives the seconds that it took
     * @return the measurements
     */
    public static PairedTimes of(int count, DoubleSupplier limit, DoubleSupplier seconds) {
        return of(count, count, 0, limit, seconds);
    }

    /**
     * Measures pairs until a time is over; one before them warms up and does not count.
     *
     * @param least the fewest pairs
     * @param most the most pairs
     * @param budget seconds after which no further pair is begun
     * @param limit measures the limit, per second
     * @param seconds computes, and gives the seconds that it took
     * @return the measurements
     */
    public static PairedTimes of(int least, int most, double budget, DoubleSupplier limit, DoubleSupplier seconds) {
        double[] limits = new double[most];
        double[] times = new double[most];
        double unused = limit.getAsDouble() + seconds.getAsDouble();
        long begin = System.nanoTime();
        int count = 0;
        while (count < most && (count < least || (System.nanoTime() - begin) / 1e9 < budget)) {
            limits[count] = limit.getAsDouble();
            times[count] = seconds.getAsDouble();
            count++;
        }
        return new PairedTimes(Arrays.copyOf(limits, count), Arrays.copyOf(times, count));
    }

    /** {@return the median of the limits, per second} */
    public double limit() {
        return quartile(limits, 2);
    }

    /** {@return the median time in seconds} */
    public double median() {
        return quartile(seconds, 2);
    }

    /** {@return the first quartile of the times in seconds} */
    public double lowerQuartile() {
        return quartile(seconds, 1);
    }

    /** {@return the third quartile of the times in seconds} */
    public double upperQuartile() {
        return quartile(seconds, 3);
    }

    /**
     * The median share of the limit.
     *
     * @param work what one computation needs at least, in the limit's unit
     * @return a number above 0, and at most 1 but for noise
     */
    public double share(double work) {
        double[] shares = new double[limits.length];
        Arrays.setAll(shares, i -> work / seconds[i] / limits[i]);
        return quartile(shares, 2);
    }

    /**
     * The time of a computation.
     *
     * @param work the computation
     * @return seconds
     */
    public static double seconds(Runnable work) {
        long begin = System.nanoTime();
        work.run();
        return (System.nanoTime() - begin) / 1e9;
    }

    /**
     * A quartile.
     *
     * @param values at least one value
     * @param number 1, 2 for the median, or 3
     * @return the value below or at which so many quarters of the values are
     */
    public static double quartile(double[] values, int number) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[Math.min(sorted.length - 1, sorted.length * number / 4)];
    }
}
