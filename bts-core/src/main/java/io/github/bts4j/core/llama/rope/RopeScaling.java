package io.github.bts4j.core.llama.rope;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.support.Problems;
import java.util.List;
import java.util.OptionalDouble;

/**
 * How a model's rotary position embedding is stretched beyond the length it was trained for.
 *
 * <p>Every implementation computes what Hugging Face transformers 5.18 ({@code modeling_rope_utils}) computes, in float32 and in the
 * same order of operations. All are immutable.
 */
public sealed interface RopeScaling permits RopeScaling.Default, RopeScaling.Linear, RopeScaling.Dynamic, RopeScaling.Llama3, RopeScaling.Yarn, LongRope {
    /**
     * The inverse frequencies {@code 1 / theta^(2i / headDim)}, scaled: position p turns pair i by {@code p * result[i]} radians.
     *
     * @param headDim the size of one head, positive and even
     * @param theta the base, {@code rope_theta}, greater than 1
     * @param maxPositionEmbeddings the model's context in tokens; only {@link Dynamic} looks at it
     * @param sequenceLength the length in tokens of the sequence that is computed, cached tokens included; only {@link Dynamic} and {@link LongRope} look at it
     * @return headDim / 2 radians per token, each one a float32 value
     * @throws IllegalArgumentException if an argument is outside its range; the message lists all of them
     */
    double[] inverseFrequencies(int headDim, double theta, int maxPositionEmbeddings, int sequenceLength);

    /** {@return the value of {@code rope_type} in {@code config.json}} */
    String ropeType();

    /**
     * The number that multiplies every cosine and sine.
     *
     * @return the factor; 1 but for {@link Yarn} and {@link LongRope}
     */
    default double attentionScaling() {
        return 1.0;
    }

    /**
     * Whether the frequencies change with the length of the sequence.
     *
     * @return true for {@link Dynamic} and {@link LongRope}
     */
    default boolean dependsOnSequenceLength() {
        return false;
    }

    /**
     * The longest sequence whose frequencies are those of every shorter one.
     *
     * @param maxPositionEmbeddings the model's context in tokens
     * @return tokens
     */
    default int sharedLength(int maxPositionEmbeddings) {
        return maxPositionEmbeddings;
    }

    /** {@return no scaling, as in Llama 2} */
    static RopeScaling none() {
        return new Default();
    }

    /** No scaling: {@code rope_type} default. */
    record Default() implements RopeScaling {
        @Override
        public double[] inverseFrequencies(int headDim, double theta, int maxPositionEmbeddings, int sequenceLength) {
            RopeMath.check(headDim, theta, maxPositionEmbeddings, sequenceLength);
            return RopeMath.widened(RopeMath.frequencies(headDim, theta));
        }

        @Override
        public String ropeType() {
            return "default";
        }
    }

    /**
     * Position interpolation: every frequency divided by one factor.
     *
     * @param factor the divisor, at least 1
     */
    record Linear(double factor) implements RopeScaling {
        /**
         * Checks the factor.
         *
         * @param factor the divisor
         * @throws IllegalArgumentException if it is below 1 or not finite
         */
        public Linear {
            RopeMath.checkFactor("linear", factor);
        }

        @Override
        public double[] inverseFrequencies(int headDim, double theta, int maxPositionEmbeddings, int sequenceLength) {
            RopeMath.check(headDim, theta, maxPositionEmbeddings, sequenceLength);
            return RopeMath.widened(RopeMath.dividedBy(RopeMath.frequencies(headDim, theta), factor));
        }

        @Override
        public String ropeType() {
            return "linear";
        }
    }

    /**
     * "NTK-aware" scaling: the base grows with the sequence once that is longer than the model's context,
     * {@code theta * (factor * length / context - (factor - 1))^(headDim / (headDim - 2))}.
     *
     * @param factor the growth, at least 1
     */
    record Dynamic(double factor) implements RopeScaling {
        /**
         * Checks the factor.
         *
         * @param factor the growth
         * @throws IllegalArgumentException if it is below 1 or not finite
         */
        public Dynamic {
            RopeMath.checkFactor("dynamic", factor);
        }

        @Override
        public double[] inverseFrequencies(int headDim, double theta, int maxPositionEmbeddings, int sequenceLength) {
            RopeMath.check(headDim, theta, maxPositionEmbeddings, sequenceLength);
            throwIf(headDim < 4, () -> new IllegalArgumentException("RoPE: headDim = " + headDim + " must be at least 4 for dynamic scaling"));
            double grown = RopeMath.dynamicTheta(theta, factor, headDim, maxPositionEmbeddings, sequenceLength);
            return RopeMath.widened(RopeMath.frequencies(headDim, grown));
        }

        @Override
        public String ropeType() {
            return "dynamic";
        }

        @Override
        public boolean dependsOnSequenceLength() {
            return true;
        }
    }

    /**
     * The scaling of Llama 3.1 and 3.2: long wavelengths divided by the factor, short ones kept, a smooth step between.
     *
     * @param factor the divisor of long wavelengths, at least 1
     * @param lowFreqFactor wavelengths above the trained length over this are divided
     * @param highFreqFactor wavelengths below the trained length over this are kept; greater than {@code lowFreqFactor}
     * @param originalMaxPositionEmbeddings the trained length in tokens
     */
    record Llama3(double factor, double lowFreqFactor, double highFreqFactor, int originalMaxPositionEmbeddings) implements RopeScaling {
        /**
         * Checks the numbers.
         *
         * @param factor the divisor of long wavelengths
         * @param lowFreqFactor wavelengths above the trained length over this are divided
         * @param highFreqFactor wavelengths below the trained length over this are kept
         * @param originalMaxPositionEmbeddings the trained length in tokens
         * @throws IllegalArgumentException if one is outside its range; the message lists all of them
         */
        public Llama3 {
            Problems problems = new Problems();
            problems.atLeast("factor", factor, 1);
            problems.positiveFloat("lowFreqFactor", lowFreqFactor);
            problems.positiveFloat("highFreqFactor", highFreqFactor);
            problems.addIf(highFreqFactor <= lowFreqFactor,
                    "highFreqFactor = " + highFreqFactor + " must be greater than lowFreqFactor = " + lowFreqFactor);
            problems.positive("originalMaxPositionEmbeddings", originalMaxPositionEmbeddings);
            problems.throwAsArgument("llama3 RoPE scaling");
        }

        @Override
        public double[] inverseFrequencies(int headDim, double theta, int maxPositionEmbeddings, int sequenceLength) {
            RopeMath.check(headDim, theta, maxPositionEmbeddings, sequenceLength);
            return RopeMath.widened(RopeMath.llama3(RopeMath.frequencies(headDim, theta), this));
        }

        @Override
        public String ropeType() {
            return "llama3";
        }
    }

    /**
     * YaRN (arXiv 2309.00071): a linear ramp over the dimensions between interpolated and untouched frequencies, and a factor on the
     * cosines and sines. {@link #of} uses the paper's values for the other parameters.
     *
     * @param factor the divisor of interpolated frequencies, at least 1
     * @param originalMaxPositionEmbeddings the trained length in tokens
     * @param betaFast dimensions that turn more often than this within the trained length are untouched; the paper's is 32
     * @param betaSlow dimensions that turn less often than this are interpolated; at most {@code betaFast}; the paper's is 1
     * @param mscale with {@code mscaleAllDim} and without {@code attentionFactor}: the weight of {@code ln(factor)} in its numerator
     * @param mscaleAllDim the weight of {@code ln(factor)} in its denominator
     * @param attentionFactor the factor on cosines and sines; empty for {@code 0.1 ln(factor) + 1}, or the value derived from {@code mscale}
     * @param truncate whether the ends of the ramp are rounded outwards to whole dimensions
     */
    record Yarn(double factor, int originalMaxPositionEmbeddings, double betaFast, double betaSlow, OptionalDouble mscale,
            OptionalDouble mscaleAllDim, OptionalDouble attentionFactor, boolean truncate) implements RopeScaling {
        /** The paper's {@code betaFast}. */
        public static final double BETA_FAST = 32;
        /** The paper's {@code betaSlow}. */
        public static final double BETA_SLOW = 1;

        /**
         * Checks the numbers.
         *
         * @param factor the divisor of interpolated frequencies
         * @param originalMaxPositionEmbeddings the trained length in tokens
         * @param betaFast dimensions that turn more often than this within the trained length are untouched
         * @param betaSlow dimensions that turn less often than this are interpolated
         * @param mscale with {@code mscaleAllDim} and without {@code attentionFactor}
         * @param mscaleAllDim the weight of {@code ln(factor)} in its denominator
         * @param attentionFactor the factor on cosines and sines
         * @param truncate whether the ends of the ramp are rounded outwards to whole dimensions
         * @throws IllegalArgumentException if one is outside its range; the message lists all of them
         */
        public Yarn {
            Problems problems = new Problems();
            problems.atLeast("factor", factor, 1);
            problems.positive("originalMaxPositionEmbeddings", originalMaxPositionEmbeddings);
            problems.positiveFloat("betaFast", betaFast);
            problems.positiveFloat("betaSlow", betaSlow);
            problems.addIf(betaFast < betaSlow, "betaFast = " + betaFast + " must be at least betaSlow = " + betaSlow);
            OptionalDouble[] values = {mscale, mscaleAllDim, attentionFactor};
            for (int i = 0; i < values.length; i++) {
                String name = List.of("mscale", "mscaleAllDim", "attentionFactor").get(i);
                if (values[i] == null) {
                    problems.add(name + " is null: use OptionalDouble.empty()");
                } else {
                    values[i].ifPresent(number -> problems.positiveFloat(name, number));
                }
            }
            problems.throwAsArgument("yarn RoPE scaling");
        }

        /**
         * YaRN with the paper's ramp and attention factor.
         *
         * @param factor the divisor of interpolated frequencies, at least 1
         * @param originalMaxPositionEmbeddings the trained length in tokens
         * @return the scaling
         * @throws IllegalArgumentException if a number is outside its range
         */
        public static Yarn of(double factor, int originalMaxPositionEmbeddings) {
            return new Yarn(factor, originalMaxPositionEmbeddings, BETA_FAST, BETA_SLOW, OptionalDouble.empty(), OptionalDouble.empty(),
                    OptionalDouble.empty(), true);
        }

        @Override
        public double[] inverseFrequencies(int headDim, double theta, int maxPositionEmbeddings, int sequenceLength) {
            RopeMath.check(headDim, theta, maxPositionEmbeddings, sequenceLength);
            return RopeMath.widened(RopeMath.yarn(this, headDim, theta));
        }

        @Override
        public double attentionScaling() {
            if (attentionFactor.isPresent()) {
                return attentionFactor.getAsDouble();
            }
            if (mscale.isPresent() && mscaleAllDim.isPresent()) {
                return magnitude(mscale.getAsDouble()) / magnitude(mscaleAllDim.getAsDouble());
            }
            return magnitude(1);
        }

        private double magnitude(double weight) {
            return factor <= 1 ? 1.0 : 0.1 * weight * Math.log(factor) + 1.0;
        }

        @Override
        public String ropeType() {
            return "yarn";
        }
    }
}
