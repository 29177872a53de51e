package io.github.bts4j.train.eval;

import java.util.Arrays;

/**
 * A metric's scores of all items of a task. Its overall value is {@code sum of values / sum of weights}: a share of correct items if values are
 * 0 and 1 and weights 1, or bits per byte if values are bits and weights bytes. Arrays are not copied, so equality is that of the array objects.
 *
 * @param values one number per item
 * @param weights weight of each item, not negative
 */
public record ItemScores(double[] values, double[] weights) {
    /**
     * Checks the arrays.
     *
     * @param values one number per item
     * @param weights weight of each item
     * @throws IllegalArgumentException if the arrays differ in length, weights sum to zero, or a number is not finite
     */
    public ItemScores {
        if (values.length != weights.length) {
            throw new IllegalArgumentException(values.length + " values have " + weights.length + " weights");
        }
        if (!Arrays.stream(values).allMatch(Double::isFinite) || !Arrays.stream(weights).allMatch(weight -> weight >= 0 && weight < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("values and weights of items must be finite, and weights not negative");
        }
        if (Arrays.stream(weights).sum() == 0) {
            throw new IllegalArgumentException(weights.length + " items have a total weight of 0: nothing to measure");
        }
    }

    /**
     * Items of equal weight.
     *
     * @param values one number per item
     * @return scores with weights 1
     * @throws IllegalArgumentException if there is no item, or a number is not finite
     */
    public static ItemScores of(double[] values) {
        double[] ones = new double[values.length];
        Arrays.fill(ones, 1);
        return new ItemScores(values, ones);
    }

    /**
     * Items that are correct or wrong.
     *
     * @param correct whether each is correct
     * @return scores of 1 and 0
     * @throws IllegalArgumentException if there is no item
     */
    public static ItemScores of(boolean[] correct) {
        double[] values = new double[correct.length];
        Arrays.setAll(values, i -> correct[i] ? 1 : 0);
        return of(values);
    }

    /**
     * Bits per byte by window.
     *
     * @param scores the windows' scores in nats
     * @return values in bits, weights in bytes
     */
    public static ItemScores of(WindowScores scores) {
        return new ItemScores(Arrays.stream(scores.nats()).map(nats -> nats / Math.log(2)).toArray(), Arrays.stream(scores.bytes()).asDoubleStream().toArray());
    }

    /** {@return the number of items} */
    public int count() {
        return values.length;
    }

    /** {@return the metric over all items: {@code sum of values / sum of weights}} */
    public double value() {
        return Arrays.stream(values).sum() / Arrays.stream(weights).sum();
    }

    /**
     * The bootstrap's percentile interval of the value: items are drawn with replacement, as many as there are (Efron, 1979). If all items have the same
     * value it has zero width, which is not informative.
     *
     * @param level share of the resamples inside, such as 0.95
     * @param resamples how many, 1,000 or more
     * @param seed seed of the draws
     * @return the interval
     * @throws IllegalArgumentException if an argument is out of range
     */
    public WindowScores.Interval interval(double level, int resamples, long seed) {
        return Bootstrap.of(count(), resamples, seed, this::over).interval(value(), level);
    }

    /** The metric over a sample of items. */
    double over(int[] sample) {
        double sum = 0;
        double weight = 0;
        for (int item : sample) {
            sum += values[item];
            weight += weights[item];
        }
        return weight == 0 ? 0 : sum / weight;
    }

    /** Whether each item is correct or wrong, with weight 1. */
    boolean isRightOrWrong() {
        return Arrays.stream(values).allMatch(value -> value == 0 || value == 1) && Arrays.stream(weights).allMatch(weight -> weight == 1);
    }
}
