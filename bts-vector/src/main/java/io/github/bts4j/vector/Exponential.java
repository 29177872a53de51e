package io.github.bts4j.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The exponential: {@code e^x = 2^n e^r} with n the nearest integer to x / ln 2, and the power series up to degree 7 for e^r, |r| <= ln 2 / 2, whose remainder is below
 * 6e-9. A value does not depend on its position.
 */
final class Exponential {
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final float LARGEST = 88.72283f; // exp of more is infinite in float32
    private static final float SMALLEST = -87.33654f; // exp of less is below the smallest normal number
    private static final float LOG2E = 1.44269504f;
    private static final float LN2_HIGH = 0.693359375f; // n times this is exact
    private static final float LN2_LOW = -2.12194440e-4f;
    private static final float ROUND = 12_582_912f; // 1.5 * 2^23: adding it leaves the nearest integer in the lower bits

    private Exponential() {
    }

    static void exp(float[] x, int from, int to) {
        int i = from;
        for (; i + F.length() <= to; i += F.length()) {
            exp(FloatVector.fromArray(F, x, i)).intoArray(x, i);
        }
        if (i < to) { // what fills no vector, in one of its own: every value is computed in one way
            float[] rest = new float[F.length()];
            System.arraycopy(x, i, rest, 0, to - i);
            exp(FloatVector.fromArray(F, rest, 0)).intoArray(rest, 0);
            System.arraycopy(rest, 0, x, i, to - i);
        }
    }

    private static FloatVector exp(FloatVector x) {
        FloatVector clamped = x.min(LARGEST).max(SMALLEST);
        FloatVector shifted = clamped.fma(FloatVector.broadcast(F, LOG2E), FloatVector.broadcast(F, ROUND));
        FloatVector n = shifted.sub(ROUND);
        FloatVector r = n.fma(FloatVector.broadcast(F, -LN2_HIGH), clamped);
        r = n.fma(FloatVector.broadcast(F, -LN2_LOW), r);
        FloatVector p = r.mul(1f / 5040).add(1f / 720);
        p = p.fma(r, FloatVector.broadcast(F, 1f / 120));
        p = p.fma(r, FloatVector.broadcast(F, 1f / 24));
        p = p.fma(r, FloatVector.broadcast(F, 1f / 6));
        p = p.fma(r, FloatVector.broadcast(F, 0.5f));
        p = p.fma(r, FloatVector.broadcast(F, 1f));
        p = p.fma(r, FloatVector.broadcast(F, 1f));
        IntVector power = shifted.reinterpretAsInts().sub(Float.floatToRawIntBits(ROUND)); // n
        // 2^n in two factors, for n reaches 128
        IntVector half = power.lanewise(VectorOperators.ASHR, 1);
        FloatVector result = p.mul(scale(half)).mul(scale(power.sub(half)));
        return result.blend(0f, x.compare(VectorOperators.LT, SMALLEST)).blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, LARGEST));
    }

    private static FloatVector scale(IntVector n) {
        return n.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
    }
}
