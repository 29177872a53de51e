package io.github.bts4j.train.optim;

import java.util.Arrays;

/**
 * Measurements of one step of Adam over the components of one or several tensors: sums, which can be added over tensors, and statistics computed from
 * them. They are the diagnostics of Adam's instability (after Molybog et al., arXiv 2304.09871; some derived since). With m^ and v^ the bias-corrected moments,
 * {@code r = m^ / sqrt(v^)}, u the update and g the gradient. Components whose v^ is 0, such as unused rows of an embedding table,
 * are excluded. Immutable.
 */
public final class AdamStatistics {
    /** The number of bins of the histogram of r. */
    public static final int BINS = 64;

    /** Maximum number of components per tensor in the histogram, evenly spaced. */
    public static final int SAMPLE = 1 << 14;

    private static final int BEFORE = 5;
    private static final int AFTER = 8;
    private static final int CENTRE = 6;
    private static final int SMOOTHING = 5;

    private final AdamWConfig config;
    private final double[] sums;
    private final double[] histogram;

    private AdamStatistics(AdamWConfig config, double[] sums, double[] histogram) {
        this.config = config;
        this.sums = sums;
        this.histogram = histogram;
    }

    /**
     * Row {@code i} of the kernels' two results.
     *
     * @param config of the step
     * @param before float32 {@code [tensors][5]}, sums before the step
     * @param after float32 {@code [tensors][8 + BINS]}, sums and histogram after it
     * @param i the tensor's row
     * @return its statistics
     */
    public static AdamStatistics of(AdamWConfig config, float[] before, float[] after, int i) {
        double[] sums = new double[BEFORE + AFTER];
        double[] histogram = new double[BINS];
        for (int k = 0; k < BEFORE; k++) {
            sums[k] = before[i * BEFORE + k];
        }
        int row = i * (AFTER + BINS);
        for (int k = 0; k < AFTER; k++) {
            sums[BEFORE + k] = after[row + k];
        }
        for (int k = 0; k < BINS; k++) {
            histogram[k] = after[row + AFTER + k];
        }
        return new AdamStatistics(config, sums, histogram);
    }

    /**
     * The statistics over the components of both.
     *
     * @param other statistics of other tensors in the same step
     * @return the common statistics
     * @throws IllegalArgumentException if betas, eps or epsilon policy differ
     */
    public AdamStatistics plus(AdamStatistics other) {
        if (!addsUpWith(other)) {
            throw new IllegalArgumentException("Statistics under " + config + " and " + other.config + " cannot be combined");
        }
        double[] both = sums.clone();
        Arrays.setAll(both, k -> both[k] + other.sums[k]);
        double[] bins = histogram.clone();
        Arrays.setAll(bins, k -> bins[k] + other.histogram[k]);
        return new AdamStatistics(config, both, bins);
    }

    /**
     * The standard deviation of r for independent gradients.
     *
     * @param beta1 decay of the first moment
     * @return {@code sqrt((1 - beta1) / (1 + beta1))}, 0.2294 for 0.9
     */
    public static double healthySpread(double beta1) {
        return Math.sqrt((1 - beta1) / (1 + beta1));
    }

    /**
     * An upper bound of |r| without bias correction, and at least 1, its value at the first step.
     *
     * @param beta1 decay of the first moment
     * @param beta2 decay of the second moment
     * @return {@code (1 - beta1) / sqrt((1 - beta2)(1 - beta1^2 / beta2))}, at least 1; 1.165 for 0.9 and 0.95
     */
    public static double bound(double beta1, double beta2) {
        double rest = (1 - beta2) * (1 - beta1 * beta1 / beta2);
        return rest > 0 ? Math.max(1, (1 - beta1) / Math.sqrt(rest)) : 10;
    }

    /**
     * Whether both were measured with the same betas, eps and epsilon policy, so that they can be combined; weight decay does not matter.
     *
     * @param other statistics of other tensors
     * @return true if {@link #plus} accepts them
     */
    public boolean addsUpWith(AdamStatistics other) {
        return config.beta1() == other.config.beta1() && config.beta2() == other.config.beta2() && config.eps() == other.config.eps()
                && config.epsilonPolicy() == other.config.epsilonPolicy();
    }

    /** {@return the upper end of the histogram's range; the lower one is its negative} */
    public double histogramBound() {
        return bound(config.beta1(), config.beta2());
    }

    private double inflation() {
        return (1 + config.beta1()) / (1 - config.beta1());
    }

    /** {@return the number of measured components, whose v^ is not 0} */
    public double active() {
        return sums[5];
    }

    /**
     * {@return D1, the size of the gradient against eps: {@code sqrt(mean(v^)) / eps}; normal above 100, a warning below 10; infinite
     * under {@link EpsilonPolicy#ZERO_SAFE}, which has no eps}
     */
    public double gradientOverEps() {
        return Math.sqrt(sums[7] / active()) / (config.epsilonPolicy() == EpsilonPolicy.ZERO_SAFE ? 0 : config.eps());
    }

    /** {@return D1, the share of components below eps, with {@code sqrt(v^) < eps}; a fault above 0.1} */
    public double belowEps() {
        return sums[6] / active();
    }

    /**
     * {@return D2, variance inflation: {@code Q = sum m^^2 / sum v^ * (1 + beta1) / (1 - beta1)}, 1 for independent gradients, 19 for
     * constant ones at beta1 0.9}
     */
    public double varianceInflation() {
        return sums[8] / sums[7] * inflation();
    }

    /** {@return D3, the correlation of successive gradients that would explain Q: {@code (Q - 1) / (beta1 (Q + 1))}, 0 when healthy} */
    public double lagOneCorrelation() {
        double q = varianceInflation();
        return (q - 1) / (config.beta1() * (q + 1));
    }

    /** {@return D4, whether the second moment lags behind: Q is higher than constant gradients can make it} */
    public boolean isStale() {
        return varianceInflation() > inflation() * (1 + 1e-5);
    }

    /**
     * {@return D5, saturation of the update distribution: the share with {@code |r| > 3 sigma_0}; healthy up to 0.003, a fault above
     * 0.3}
     */
    public double saturation() {
        return sums[12] / sums[11];
    }

    /**
     * {@return D6, the depth of the valley at 0 in the histogram of r, which turns bimodal in the unstable state: {@code 1 - mean of
     * the 6 central bins / the lower of the two peaks} of the histogram smoothed by 5; healthy up to 0.1, a fault from 0.9 on}
     */
    public double valleyDepth() {
        double[] smooth = new double[BINS];
        for (int k = 0; k < BINS; k++) {
            int from = Math.max(0, k - SMOOTHING / 2);
            int to = Math.min(BINS, k + SMOOTHING / 2 + 1);
            smooth[k] = Arrays.stream(histogram, from, to).sum() / (to - from);
        }
        double centre = Arrays.stream(smooth, BINS / 2 - CENTRE / 2, BINS / 2 + CENTRE / 2).average().orElseThrow();
        double left = Arrays.stream(smooth, 0, BINS / 2).max().orElseThrow();
        double right = Arrays.stream(smooth, BINS / 2, BINS).max().orElseThrow();
        double peak = centre == 0 ? Math.max(left, right) : Math.min(left, right); // a one-sided distribution also has a valley
        return peak == 0 ? 0 : Math.max(0, 1 - centre / peak);
    }

    /** {@return D8, momentum alignment: the cosine of the last step's m and g; 0 when healthy, 0.67 for a lag-1 correlation of 0.9} */
    public double momentumAlignment() {
        return cosine(sums[0], sums[1], sums[2]);
    }

    /**
     * {@return D9, descent alignment: the cosine of the last step's update and g; above 0 when healthy; 0 while the update is large
     * is the state in which training diverges}
     */
    public double descentAlignment() {
        return cosine(sums[3], sums[4], sums[2]);
    }

    private static double cosine(double product, double a, double b) {
        return a > 0 && b > 0 ? product / Math.sqrt(a * b) : 0;
    }

    /**
     * {@return the size of the update, which D11 compares with its average: {@code sqrt(mean(u^2))}, before the learning rate and
     * without weight decay}
     */
    public double updateRms() {
        return Math.sqrt(sums[9] / active());
    }

    /**
     * {@return D12, how far the gradient exceeds what the second moment has seen: {@code sqrt(mean(g^2 / max(v^, eps^2)))}, 1 when
     * healthy, {@code 1 / sqrt(1 - beta2)} at the first jump}
     */
    public double clippingRms() {
        return Math.sqrt(sums[10] / active());
    }

    /**
     * {@return the update distribution, a copy of the counts of r in {@value #BINS} equal bins from minus to plus {@link #bound}, of
     * at most 16,384 components per tensor}
     */
    public double[] histogram() {
        return histogram.clone();
    }
}
