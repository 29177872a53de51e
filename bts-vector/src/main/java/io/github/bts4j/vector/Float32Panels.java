package io.github.bts4j.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** Products of one block of {@link Panels} of float32. */
final class Float32Panels {
    private static final VectorSpecies<Float> F = Panels.F;
    private static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, F.vectorShape());
    private static final int LANES = F.length();

    private Float32Panels() {
    }

    private static FloatVector load(int[] words, int at) {
        return IntVector.fromArray(I, words, at).reinterpretAsFloats();
    }

    static void oneBlock(int[] words, int offset, int length, float[] x, float[] y, int to) {
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        for (int k = 0; k < length; k++) {
            int at = offset + k * Panels.ROWS;
            FloatVector value = FloatVector.broadcast(F, x[k]);
            a = load(words, at).fma(value, a);
            b = load(words, at + LANES).fma(value, b);
        }
        a.intoArray(y, to);
        b.intoArray(y, to + LANES);
    }

    static void twoBlocks(int[] words, int offset, int other, int length, float[] x, float[] y, int to, float[] otherY, int otherTo) {
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        FloatVector otherA = a;
        FloatVector otherB = a;
        for (int k = 0; k < length; k++) {
            int at = offset + k * Panels.ROWS;
            int otherAt = other + k * Panels.ROWS;
            FloatVector value = FloatVector.broadcast(F, x[k]);
            a = load(words, at).fma(value, a);
            b = load(words, at + LANES).fma(value, b);
            otherA = load(words, otherAt).fma(value, otherA);
            otherB = load(words, otherAt + LANES).fma(value, otherB);
        }
        a.intoArray(y, to);
        b.intoArray(y, to + LANES);
        otherA.intoArray(otherY, otherTo);
        otherB.intoArray(otherY, otherTo + LANES);
    }

    static void fourSessions(int[] words, int offset, int length, float[][] x, float[][] y, int to, int s) {
        float[] x0 = x[s];
        float[] x1 = x[s + 1];
        float[] x2 = x[s + 2];
        float[] x3 = x[s + 3];
        FloatVector a0 = FloatVector.zero(F);
        FloatVector b0 = a0;
        FloatVector a1 = a0;
        FloatVector b1 = a0;
        FloatVector a2 = a0;
        FloatVector b2 = a0;
        FloatVector a3 = a0;
        FloatVector b3 = a0;
        for (int k = 0; k < length; k++) {
            int at = offset + k * Panels.ROWS;
            FloatVector first = load(words, at);
            FloatVector second = load(words, at + LANES);
            FloatVector value = FloatVector.broadcast(F, x0[k]);
            a0 = first.fma(value, a0);
            b0 = second.fma(value, b0);
            value = FloatVector.broadcast(F, x1[k]);
            a1 = first.fma(value, a1);
            b1 = second.fma(value, b1);
            value = FloatVector.broadcast(F, x2[k]);
            a2 = first.fma(value, a2);
            b2 = second.fma(value, b2);
            value = FloatVector.broadcast(F, x3[k]);
            a3 = first.fma(value, a3);
            b3 = second.fma(value, b3);
        }
        a0.intoArray(y[s], to);
        b0.intoArray(y[s], to + LANES);
        a1.intoArray(y[s + 1], to);
        b1.intoArray(y[s + 1], to + LANES);
        a2.intoArray(y[s + 2], to);
        b2.intoArray(y[s + 2], to + LANES);
        a3.intoArray(y[s + 3], to);
        b3.intoArray(y[s + 3], to + LANES);
    }
}
