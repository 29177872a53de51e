package io.github.bts4j.train.eval;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Values of a statistic over samples of the items, drawn with replacement, each as large as there are items (Efron, 1979).
 *
 * @param drawn one value per sample
 */
record Bootstrap(double[] drawn) {

    /** Computes the statistic of a sample, given by the items' indices. */
    interface Statistic {
        double of(int[] sample);
    }

    static Bootstrap of(int items, int resamples, long seed, Statistic statistic) {
        if (resamples < 1000) {
            throw new IllegalArgumentException("resamples = " + resamples + ": an interval needs 1,000 or more");
        }
        SplittableRandom random = new SplittableRandom(seed);
        double[] drawn = new double[resamples];
        int[] sample = new int[items];
        for (int i = 0; i < resamples; i++) {
            for (int j = 0; j < sample.length; j++) {
                sample[j] = random.nextInt(items);
            }
            drawn[i] = statistic.of(sample);
        }
        return new Bootstrap(drawn);
    }

    /** The percentile interval around the value of all items. */
    WindowScores.Interval interval(double value, double level) {
        if (!(level > 0 && level < 1)) {
            throw new IllegalArgumentException("level = " + level + " must be between 0 and 1");
        }
        double[] sorted = drawn.clone();
        Arrays.sort(sorted);
        return new WindowScores.Interval(value, quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2));
    }

    /** Like this for a difference, with its two-sided p-value: twice the share of samples with the opposite sign or 0. */
    WindowScores.Difference difference(double value, double level) {
        long against = Arrays.stream(drawn).filter(difference -> value == 0 || Math.signum(difference) != Math.signum(value)).count();
        return new WindowScores.Difference(interval(value, level), Math.min(1, 2.0 * against / drawn.length));
    }

    private static double quantile(double[] sorted, double share) {
        double place = share * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(sorted.length - 1, below + 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
