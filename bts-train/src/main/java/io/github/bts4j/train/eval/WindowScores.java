package io.github.bts4j.train.eval;

import java.util.Arrays;
import java.util.List;

/**
 * A model's scores on windows of one text. Arrays are not copied, so equality is that of the array objects.
 *
 * @param nats cross-entropy of every window's scored tokens, summed, in nats
 * @param bytes bytes of their text
 * @param tokens number of scored tokens
 */
public record WindowScores(double[] nats, long[] bytes, long[] tokens) {
    /**
     * Checks the sizes.
     *
     * @param nats cross-entropy of every window
     * @param bytes bytes of every window
     * @param tokens scored tokens of every window
     * @throws IllegalArgumentException if the arrays differ in length or there are no bytes of text
     */
    public WindowScores {
        if (nats.length != bytes.length || nats.length != tokens.length) {
            throw new IllegalArgumentException("nats, bytes and tokens have " + nats.length + ", " + bytes.length + " and " + tokens.length + " entries");
        }
        if (Arrays.stream(bytes).sum() == 0) {
            throw new IllegalArgumentException(nats.length + " windows have no text: nothing to score");
        }
    }

    /**
     * An estimate with its uncertainty.
     *
     * @param value the estimate
     * @param low lower end of the interval
     * @param high upper end of the interval
     */
    public record Interval(double value, double low, double high) {}

    /**
     * A difference of two models on the same windows.
     *
     * @param interval the difference in bits per byte with its interval; below 0 the first model is better
     * @param pValue two-sided: twice the share of resamples in which the difference has the other sign or is 0, at most 1
     */
    public record Difference(Interval interval, double pValue) {}

    /**
     * The scores of whole windows.
     *
     * @param parts those of the same windows' parts, at least one
     * @return their sums
     */
    public static WindowScores together(List<WindowScores> parts) {
        int windows = parts.get(0).nats.length;
        double[] nats = new double[windows];
        long[] bytes = new long[windows];
        long[] tokens = new long[windows];
        for (WindowScores part : parts) {
            for (int i = 0; i < windows; i++) {
                nats[i] += part.nats[i];
                bytes[i] += part.bytes[i];
                tokens[i] += part.tokens[i];
            }
        }
        return new WindowScores(nats, bytes, tokens);
    }

    /** {@return bits per byte of all windows together: {@code sum of nats / ln 2 / sum of bytes}} */
    public double bitsPerByte() {
        return Arrays.stream(nats).sum() / Math.log(2) / Arrays.stream(bytes).sum();
    }

    /** {@return perplexity per token, {@code exp(sum of nats / sum of tokens)}, which can only compare models with the same tokenizer} */
    public double perplexity() {
        return Math.exp(Arrays.stream(nats).sum() / Arrays.stream(tokens).sum());
    }

    /**
     * The bootstrap's percentile interval of the bits per byte: windows are drawn with replacement, as many as there are (Efron, 1979).
     *
     * @param level share of the resamples inside, such as 0.95
     * @param resamples how many, 1,000 or more
     * @param seed seed of the draws
     * @return the interval
     * @throws IllegalArgumentException if an argument is out of range
     */
    public Interval interval(double level, int resamples, long seed) {
        return Bootstrap.of(nats.length, resamples, seed, sample -> ratio(this, sample)).interval(bitsPerByte(), level);
    }

    /**
     * The difference from another model on the same windows. Windows are resampled for both together, so that windows that are hard for both do not add
     * uncertainty.
     *
     * @param other the other model's scores of the same windows
     * @param level share of the resamples inside the interval, such as 0.95
     * @param resamples how many, 1,000 or more
     * @param seed seed of the draws
     * @return this model's bits per byte minus the other's
     * @throws IllegalArgumentException if the windows differ, or an argument is out of range
     */
    public Difference minus(WindowScores other, double level, int resamples, long seed) {
        if (!Arrays.equals(bytes, other.bytes) || !Arrays.equals(tokens, other.tokens)) {
            throw new IllegalArgumentException("The scores are of different windows: score both models on the same windows");
        }
        Bootstrap drawn = Bootstrap.of(nats.length, resamples, seed, sample -> ratio(this, sample) - ratio(other, sample));
        return drawn.difference(bitsPerByte() - other.bitsPerByte(), level);
    }

    private static double ratio(WindowScores scores, int[] sample) {
        double nats = 0;
        long bytes = 0;
        for (int window : sample) {
            nats += scores.nats[window];
            bytes += scores.bytes[window];
        }
        return nats / Math.log(2) / Math.max(1, bytes);
    }
}
