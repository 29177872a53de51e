package io.github.bts4j.core.llama.rope;

import io.github.bts4j.core.support.Problems;

/**
 * The float32 arithmetic of transformers' {@code modeling_rope_utils}, operation by operation: a power, a quotient, a product each
 * rounded to float32 (a number over a tensor is torch's reciprocal, then a product). Powers are taken in double and rounded once, which
 * gives the same value as torch, or a neighbouring one.
 */
final class RopeMath {
    private RopeMath() {
    }

    /** Checks the arguments that all rope types share. */
    static void check(int headDim, double theta, int maxPositionEmbeddings, int sequenceLength) {
        Problems problems = new Problems();
        problems.addIf(headDim < 2 || headDim % 2 != 0, "headDim = " + headDim + " must be positive and even");
        problems.floatAbove("ropeTheta", theta, 1);
        problems.positive("maxPositionEmbeddings", maxPositionEmbeddings);
        problems.positive("sequenceLength", sequenceLength);
        problems.throwAsArgument("RoPE");
    }

    /** Checks the factor of a scaling that has no other number. */
    static void checkFactor(String ropeType, double factor) {
        Problems problems = new Problems();
        problems.atLeast("factor", factor, 1);
        problems.throwAsArgument(ropeType + " RoPE scaling");
    }

    /** {@code theta^(2i / headDim)} for i below headDim / 2. */
    static float[] wavelengths(int headDim, double theta) {
        float[] result = new float[headDim / 2];
        for (int i = 0; i < result.length; i++) {
            float exponent = (float) (2 * i) / headDim;
            result[i] = (float) StrictMath.pow((float) theta, exponent);
        }
        return result;
    }

    /** {@code 1 / theta^(2i / headDim)}. */
    static float[] frequencies(int headDim, double theta) {
        float[] result = wavelengths(headDim, theta);
        for (int i = 0; i < result.length; i++) {
            result[i] = 1f / result[i];
        }
        return result;
    }

    static float[] dividedBy(float[] values, double divisor) {
        for (int i = 0; i < values.length; i++) {
            values[i] /= (float) divisor;
        }
        return values;
    }

    static double[] widened(float[] values) {
        double[] result = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = values[i];
        }
        return result;
    }

    /** The base that "NTK" scaling uses for a sequence longer than the model was trained for; transformers computes it in float32. */
    static double dynamicTheta(double theta, double factor, int headDim, int trained, int length) {
        double exponent = (double) headDim / (headDim - 2);
        if (length <= trained) {
            return theta * StrictMath.pow(factor * trained / trained - (factor - 1), exponent);
        }
        float ratio = (float) factor * length / trained;
        float stretch = ratio - (float) (factor - 1);
        float power = (float) StrictMath.pow(stretch, exponent);
        return (float) theta * power;
    }

    /** Llama 3.1: long wavelengths divided by the factor, short ones kept, a smooth step between. */
    static float[] llama3(float[] frequencies, RopeScaling.Llama3 scaling) {
        float factor = (float) scaling.factor();
        float low = (float) scaling.lowFreqFactor();
        float span = (float) (scaling.highFreqFactor() - scaling.lowFreqFactor());
        float trained = scaling.originalMaxPositionEmbeddings();
        float lowWavelength = (float) (scaling.originalMaxPositionEmbeddings() / scaling.lowFreqFactor());
        float highWavelength = (float) (scaling.originalMaxPositionEmbeddings() / scaling.highFreqFactor());
        float[] result = new float[frequencies.length];
        for (int i = 0; i < result.length; i++) {
            float frequency = frequencies[i];
            float wavelength = 1f / frequency * (float) (2 * Math.PI);
            if (wavelength > lowWavelength) {
                result[i] = frequency / factor;
            } else if (wavelength < highWavelength) {
                result[i] = frequency;
            } else {
                float smooth = (1f / wavelength * trained - low) / span;
                float slowed = (1 - smooth) * frequency / factor;
                result[i] = slowed + smooth * frequency;
            }
        }
        return result;
    }

    /** YaRN (arXiv 2309.00071): a linear ramp over the dimensions between interpolated and untouched frequencies. */
    static float[] yarn(RopeScaling.Yarn scaling, int headDim, double theta) {
        double low = correctionDim(scaling.betaFast(), scaling, headDim, theta);
        double high = correctionDim(scaling.betaSlow(), scaling, headDim, theta);
        if (scaling.truncate()) {
            low = Math.floor(low);
            high = Math.ceil(high);
        }
        low = Math.max(low, 0);
        high = Math.min(high, headDim - 1);
        float span = (float) ((high == low ? high + 0.001 : high) - low);
        float factor = (float) scaling.factor();
        float[] result = wavelengths(headDim, theta);
        for (int i = 0; i < result.length; i++) {
            float ramp = Math.min(Math.max((i - (float) low) / span, 0f), 1f);
            float untouched = 1 - ramp;
            float interpolated = 1f / (factor * result[i]) * (1 - untouched);
            result[i] = interpolated + 1f / result[i] * untouched;
        }
        return result;
    }

    /** The dimension that makes {@code rotations} full turns within the trained length. */
    private static double correctionDim(double rotations, RopeScaling.Yarn scaling, int headDim, double theta) {
        double turns = scaling.originalMaxPositionEmbeddings() / (rotations * 2 * Math.PI);
        return headDim * Math.log(turns) / (2 * Math.log(theta));
    }
}
