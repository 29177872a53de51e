package io.github.bts4j.train.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Intervals against the normal theory of means: windows of equal size make bits per byte a mean. */
class WindowScoresTest {
    private static final int WINDOWS = 400;
    private static final double LN2 = Math.log(2);

    private static WindowScores scores(double[] bits) {
        long[] hundreds = new long[bits.length];
        Arrays.fill(hundreds, 100);
        long[] tokens = new long[bits.length];
        Arrays.fill(tokens, 25);
        return new WindowScores(Arrays.stream(bits).map(b -> b * 100 * LN2).toArray(), hundreds, tokens);
    }

    private static double[] normal(long seed, double mean, double deviation) {
        Random random = new Random(seed);
        return random.doubles(WINDOWS).map(ignored -> mean + deviation * random.nextGaussian()).toArray();
    }

    private static double deviation(double[] values) {
        double mean = Arrays.stream(values).average().orElseThrow();
        return Math.sqrt(Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum() / (values.length - 1));
    }

    @Test
    void valueAndPerplexity() {
        WindowScores scores = new WindowScores(new double[] {LN2 * 300, LN2 * 100}, new long[] {100, 300}, new long[] {50, 150});
        assertEquals(1, scores.bitsPerByte(), 1e-12, "all bits over all bytes, not a mean of windows");
        assertEquals(Math.pow(2, 2), scores.perplexity(), 1e-12);
    }

    @Test
    void theIntervalIsThatOfAMean() {
        double[] bits = normal(1, 2, 0.5);
        WindowScores.Interval interval = scores(bits).interval(0.95, 20_000, 3);
        double half = 1.96 * deviation(bits) / Math.sqrt(WINDOWS);
        double mean = Arrays.stream(bits).average().orElseThrow();
        assertEquals(mean, interval.value(), 1e-12);
        assertEquals(mean - half, interval.low(), 0.06 * half);
        assertEquals(mean + half, interval.high(), 0.06 * half);
        assertEquals(interval, scores(bits).interval(0.95, 20_000, 3));
    }

    @Test
    void pairingTakesOutWhatBothShare() {
        double[] hard = normal(1, 2, 0.5);
        double[] noise = normal(2, 0.01, 0.05);
        double[] worse = new double[WINDOWS];
        Arrays.setAll(worse, i -> hard[i] + noise[i]);
        WindowScores.Difference difference = scores(worse).minus(scores(hard), 0.95, 20_000, 4);
        double mean = Arrays.stream(noise).average().orElseThrow();
        double half = 1.96 * deviation(noise) / Math.sqrt(WINDOWS);
        assertEquals(mean, difference.interval().value(), 1e-12);
        assertEquals(mean - half, difference.interval().low(), 0.06 * half);
        assertEquals(mean + half, difference.interval().high(), 0.06 * half);
        double z = mean / (deviation(noise) / Math.sqrt(WINDOWS));
        assertTrue(z > 2.5 && difference.pValue() < 0.02, "z = " + z + ", p = " + difference.pValue());
        assertTrue(scores(hard).interval(0.95, 1000, 1).high() - scores(hard).interval(0.95, 1000, 1).low() > 10 * half / 2, "alone the difference would be lost");
    }

    /** Under no difference p is uniform: about one in ten lies below 0.1. */
    @Test
    void withoutADifferenceThePValueIsUniform() {
        int below = 0;
        int trials = 300;
        for (int trial = 0; trial < trials; trial++) {
            double[] noise = normal(100 + trial, 0, 0.05);
            double[] base = new double[WINDOWS];
            Arrays.fill(base, 2);
            double[] other = new double[WINDOWS];
            Arrays.setAll(other, i -> 2 + noise[i]);
            below += scores(other).minus(scores(base), 0.95, 1000, trial).pValue() < 0.1 ? 1 : 0;
        }
        assertEquals(0.1, below / (double) trials, 0.06);
    }

    @Test
    void whatCannotBeIsRefused() {
        WindowScores scores = scores(new double[] {1, 2});
        assertThrows(IllegalArgumentException.class, () -> scores.interval(0.95, 999, 0));
        assertThrows(IllegalArgumentException.class, () -> scores.interval(1, 1000, 0));
        assertThrows(IllegalArgumentException.class, () -> scores.minus(scores(new double[] {1}), 0.95, 1000, 0));
        assertThrows(IllegalArgumentException.class, () -> new WindowScores(new double[1], new long[1], new long[1]));
        assertThrows(IllegalArgumentException.class, () -> new WindowScores(new double[1], new long[2], new long[1]));
    }
}
