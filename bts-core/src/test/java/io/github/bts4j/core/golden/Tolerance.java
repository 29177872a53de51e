package io.github.bts4j.core.golden;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;

/**
 * How far two right results of one computation may lie apart. Processors add in different orders, and oneDNN, libtorch and bts-vector each in their own, so that a
 * tolerance found on one of them is luck on the next. Here it follows from the number format, the lengths of the sums and the size of the values.
 *
 * <p>A rounding changes a value by at most its unit roundoff {@code u} times the value: 2^-24 in float32, 2^-8 in bfloat16, 2^-11 in float16.
 * <ul>
 * <li><b>One sum</b> of n products, in whatever order: off by at most {@code (n + 1) u sum |x_i y_i|} (Higham, Accuracy and Stability of Numerical Algorithms,
 * section 3.1). {@link #ofSum}. A bound, for tests of single operations.
 * <li><b>A model</b> is a chain of such sums, for which that bound is far too wide: roundings go up and down and add like the steps of a random walk, so that a sum of n
 * terms is off by some {@code sqrt(n) u} of its size, and a chain by the root of the sum of squares (Higham and Mary, A New Approach to Probabilistic Rounding Error
 * Analysis, SIAM J. Sci. Comput. 41, 2019, whose bound is {@code lambda sqrt(n) u}). {@link #of}: relative to the largest element of the result.
 * {@code lambda} = {@value #LAMBDA}: room for the largest of thousands of elements, for the error of the expected values themselves, and for layers that widen what comes in.
 * What transformers computes in float32 is at a twentieth of it from what it computes in float64, in bfloat16 at a sixth.
 * <li><b>Another model</b>, with coarser weights or in fewer bits: {@link #assertNoWorse} compares its error with that of a reference that rounds as often, both measured against
 * the exact values in the same test. Over thousands of elements the two root mean squares are near one another; twice the reference's is a mistake and not chance.
 * </ul>
 */
public record Tolerance(double relative) {
    /** Unit roundoff of float32: products of every precision are summed in it. */
    public static final double FLOAT32 = 0x1p-24;

    /** Unit roundoff of bfloat16. */
    public static final double BFLOAT16 = 0x1p-8;

    private static final int LAMBDA = 8;
    private static final int ELEMENTWISE = 10; // roundings of a layer beside its products: two norms, two rotations, softmax, SiLU, its product, two residuals, the cache

    /** Of a sum of products in float32 whose result is rounded to a type. */
    public static double ofSum(double roundoff, int terms, double sumOfMagnitudes, double result) {
        return (terms + 1) * FLOAT32 * sumOfMagnitudes + roundoff * Math.abs(result);
    }

    public static double roundoff(Precision precision) {
        return switch (precision) {
            case FLOAT32 -> FLOAT32;
            case FLOAT16 -> 0x1p-11;
            case BFLOAT16 -> BFLOAT16;
        };
    }

    /** Of the logits and hidden states of a model over so many tokens. */
    public static Tolerance of(LlamaConfig config, int tokens, Precision precision) {
        long heads = (long) config.numHeads() * config.headDim();
        long terms = 5L * config.hiddenSize() + config.headDim() + tokens + heads + config.intermediateSize(); // q, k, v, gate, up; scores; values; o; down
        double products = 9;
        double layer = (ELEMENTWISE + products) * square(roundoff(precision)) + terms * square(FLOAT32);
        double ends = 3 * square(roundoff(precision)) + config.hiddenSize() * square(FLOAT32); // embedding, norm, head
        return new Tolerance(LAMBDA * Math.sqrt(config.numLayers() * layer + ends));
    }

    /** Of what a few sums in float32, of so many terms altogether, and so many roundings beside them make: a router, a merge, a mean. */
    public static Tolerance ofSums(int terms, int roundings) {
        return new Tolerance(LAMBDA * Math.sqrt((double) terms + roundings) * FLOAT32);
    }

    /**
     * Of weights after steps of AdamW, over their root mean square, if the gradients carry this error. AdamW divides a gradient by its usual size, so that one within the error e of 0
     * (in units of that size) takes its step in any direction: off by at most 2, and by e / |g| otherwise. Over normally distributed gradients the mean square of that is
     * {@code 0.8 (4 e / 2 + e^2 / (e / 2)) = 3.2 e} steps.
     */
    public double afterSteps(double sumOfRates, float[] weights) {
        double mean = 0;
        for (float weight : weights) {
            mean += square(weight) / weights.length;
        }
        return relative + sumOfRates * Math.sqrt(3.2 * relative) / Math.sqrt(mean);
    }

    private static double square(double x) {
        return x * x;
    }

    /** Of a chain of this and something else, or of models that run side by side into one result. */
    public Tolerance and(Tolerance other) {
        return new Tolerance(Math.sqrt(square(relative) + square(other.relative)));
    }

    /** Of a chain of this, so many times. */
    public Tolerance times(int count) {
        return new Tolerance(relative * Math.sqrt(count));
    }

    /** Of the norm of the difference over the norm of the values: elements average out, and the largest of them does not count. */
    public double ofNorm() {
        return relative / 4;
    }

    /** Absolute, for results of the size of these. */
    public double of(float... expected) {
        double largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        return relative * largest;
    }

    /** Losses and log-probabilities in nats are differences of two numbers of the logits' size, which both carry the logits' error; an error is not less than that of a logit of 1. */
    public double ofLosses(float... expected) {
        return 2 * Math.max(relative, of(expected));
    }

    public void assertClose(String what, float[] expected, float[] actual) {
        GoldenCase.assertClose(what, expected, actual, of(expected));
    }

    public void assertLossesClose(String what, float[] expected, float[] actual) {
        GoldenCase.assertClose(what, expected, actual, ofLosses(expected));
    }

    /** The error of a result against exact values is no more than twice that of a reference which rounds as often. */
    public static void assertNoWorse(String what, float[] exact, float[] reference, float[] actual) {
        double allowed = 2 * rootMeanSquare(exact, reference);
        double error = rootMeanSquare(exact, actual);
        assertTrue(error <= allowed, what + ": root mean square error " + error + " is more than twice the " + allowed / 2 + " of the reference");
    }

    private static double rootMeanSquare(float[] exact, float[] found) {
        assertEquals(exact.length, found.length);
        double sum = 0;
        for (int i = 0; i < exact.length; i++) {
            sum += square((double) exact[i] - found[i]);
        }
        return Math.sqrt(sum / exact.length);
    }
}
