package io.github.bts4j.vector;

import static jdk.incubator.vector.VectorOperators.AND;
import static jdk.incubator.vector.VectorOperators.IS_NAN;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.MAX;

import io.github.bts4j.core.rows.Rounding;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Elementwise operations, see {@link io.github.bts4j.core.rows.Arithmetic}. The remaining elements are computed by the same operations, one by one, so that a value does not depend on its position.
 */
final class Elementwise {
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = F.length();
    private static final int UPPER = 0xFFFF0000;

    private Elementwise() {
    }

    private static FloatVector at(float[] x, int i) {
        return FloatVector.fromArray(F, x, i);
    }

    /** To bfloat16, nearest even; NaN stays. */
    private static FloatVector rounded(FloatVector x) {
        IntVector bits = x.reinterpretAsInts();
        IntVector odd = bits.lanewise(LSHR, 16).lanewise(AND, 1);
        return bits.add(0x7FFF).add(odd).lanewise(AND, UPPER).reinterpretAsFloats().blend(x, x.test(IS_NAN));
    }

    private static FloatVector rounded(FloatVector x, boolean bfloat16) {
        return bfloat16 ? rounded(x) : x;
    }

    static void round(float[] x, int from, int to) {
        int i = from;
        for (; i + LANES <= to; i += LANES) {
            rounded(at(x, i)).intoArray(x, i);
        }
        for (; i < to; i++) {
            x[i] = Rounding.BFLOAT16.round(x[i]);
        }
    }

    static void add(Rounding rounding, float[] sum, float[] x, int from, int to) {
        boolean bfloat16 = rounding == Rounding.BFLOAT16;
        int i = from;
        for (; i + LANES <= to; i += LANES) {
            rounded(at(sum, i).add(at(x, i)), bfloat16).intoArray(sum, i);
        }
        for (; i < to; i++) {
            sum[i] = rounding.round(sum[i] + x[i]);
        }
    }

    static void rmsNorm(float[] x, float[] weight, float eps, Rounding rounding, float[] into) {
        boolean bfloat16 = rounding == Rounding.BFLOAT16;
        int n = weight.length;
        float scale = (float) (1 / Math.sqrt(squares(x, n) / n + eps));
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            rounded(rounded(at(x, i).mul(scale), bfloat16).mul(at(weight, i)), bfloat16).intoArray(into, i);
        }
        for (; i < n; i++) {
            into[i] = rounding.round(rounding.round(x[i] * scale) * weight[i]);
        }
    }

    private static float squares(float[] x, int n) {
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        int i = 0;
        for (; i + 2 * LANES <= n; i += 2 * LANES) {
            FloatVector first = at(x, i);
            FloatVector second = at(x, i + LANES);
            a = first.fma(first, a);
            b = second.fma(second, b);
        }
        float sum = Lanes.sum(a.add(b));
        for (; i < n; i++) {
            sum += x[i] * x[i];
        }
        return sum;
    }

    static void swiGlu(Rounding rounding, float[] gate, float[] up, int from, int to) {
        boolean bfloat16 = rounding == Rounding.BFLOAT16;
        float[] exps = new float[to - from];
        int i = from;
        for (; i + LANES <= to; i += LANES) {
            at(gate, i).neg().intoArray(exps, i - from);
        }
        for (; i < to; i++) {
            exps[i - from] = -gate[i];
        }
        Exponential.exp(exps, 0, exps.length);
        for (i = from; i + LANES <= to; i += LANES) {
            FloatVector silu = at(gate, i).div(at(exps, i - from).add(1));
            rounded(rounded(silu, bfloat16).mul(at(up, i)), bfloat16).intoArray(gate, i);
        }
        for (; i < to; i++) {
            gate[i] = rounding.round(rounding.round(gate[i] / (exps[i - from] + 1)) * up[i]);
        }
    }

    static void softmax(float[] x, int length, float scale) {
        float largest = largest(x, length);
        int i = 0;
        for (; i + LANES <= length; i += LANES) {
            at(x, i).sub(largest).mul(scale).intoArray(x, i);
        }
        for (; i < length; i++) {
            x[i] = (x[i] - largest) * scale;
        }
        Exponential.exp(x, 0, length);
        float sum = sum(x, length);
        for (i = 0; i + LANES <= length; i += LANES) {
            at(x, i).div(sum).intoArray(x, i);
        }
        for (; i < length; i++) {
            x[i] /= sum;
        }
    }

    private static float largest(float[] x, int length) {
        FloatVector largest = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
        int i = 0;
        for (; i + LANES <= length; i += LANES) {
            largest = largest.max(at(x, i));
        }
        float one = largest.reduceLanes(MAX);
        for (; i < length; i++) {
            one = Math.max(one, x[i]);
        }
        return one;
    }

    private static float sum(float[] x, int length) {
        FloatVector sum = FloatVector.zero(F);
        int i = 0;
        for (; i + LANES <= length; i += LANES) {
            sum = sum.add(at(x, i));
        }
        float one = Lanes.sum(sum);
        for (; i < length; i++) {
            one += x[i];
        }
        return one;
    }

    static void rotate(Rounding rounding, float[] x, int at, float[] cosSin) {
        boolean bfloat16 = rounding == Rounding.BFLOAT16;
        int half = cosSin.length / 2;
        int i = 0;
        for (; i + LANES <= half; i += LANES) {
            FloatVector a = at(x, at + i);
            FloatVector b = at(x, at + half + i);
            FloatVector cos = at(cosSin, i);
            FloatVector sin = at(cosSin, half + i);
            rounded(rounded(a.mul(cos), bfloat16).sub(b.mul(sin)), bfloat16).intoArray(x, at + i);
            rounded(rounded(b.mul(cos), bfloat16).add(a.mul(sin)), bfloat16).intoArray(x, at + half + i);
        }
        for (; i < half; i++) {
            float a = x[at + i];
            float b = x[at + half + i];
            x[at + i] = rounding.round(rounding.round(a * cosSin[i]) - b * cosSin[half + i]);
            x[at + half + i] = rounding.round(rounding.round(b * cosSin[i]) + a * cosSin[half + i]);
        }
    }
}
