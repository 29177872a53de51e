package io.github.bts4j.vector;

import static jdk.incubator.vector.VectorOperators.AND;
import static jdk.incubator.vector.VectorOperators.LSHL;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** Products of one block of {@link Panels} of bfloat16: a word holds two columns of a row, which as float32 are its lower half, shifted up, and its upper half. */
final class Bfloat16Panels {
    private static final VectorSpecies<Float> F = Panels.F;
    private static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, F.vectorShape());
    private static final int LANES = F.length();
    private static final int UPPER = 0xFFFF0000;

    private Bfloat16Panels() {
    }

    private static FloatVector low(IntVector word) {
        return word.lanewise(LSHL, 16).reinterpretAsFloats();
    }

    private static FloatVector high(IntVector word) {
        return word.lanewise(AND, UPPER).reinterpretAsFloats();
    }

    static void oneBlock(int[] words, int offset, int length, float[] x, float[] y, int to) {
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        for (int k = 0; k < length; k++) {
            int at = offset + k * Panels.ROWS;
            IntVector first = IntVector.fromArray(I, words, at);
            IntVector second = IntVector.fromArray(I, words, at + LANES);
            FloatVector even = FloatVector.broadcast(F, x[2 * k]);
            FloatVector odd = FloatVector.broadcast(F, x[2 * k + 1]);
            a = high(first).fma(odd, low(first).fma(even, a));
            b = high(second).fma(odd, low(second).fma(even, b));
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
            FloatVector even = FloatVector.broadcast(F, x[2 * k]);
            FloatVector odd = FloatVector.broadcast(F, x[2 * k + 1]);
            IntVector word = IntVector.fromArray(I, words, at);
            a = high(word).fma(odd, low(word).fma(even, a));
            word = IntVector.fromArray(I, words, at + LANES);
            b = high(word).fma(odd, low(word).fma(even, b));
            word = IntVector.fromArray(I, words, otherAt);
            otherA = high(word).fma(odd, low(word).fma(even, otherA));
            word = IntVector.fromArray(I, words, otherAt + LANES);
            otherB = high(word).fma(odd, low(word).fma(even, otherB));
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
            IntVector word = IntVector.fromArray(I, words, at);
            IntVector next = IntVector.fromArray(I, words, at + LANES);
            FloatVector first = low(word);
            FloatVector second = low(next);
            FloatVector value = FloatVector.broadcast(F, x0[2 * k]);
            a0 = first.fma(value, a0);
            b0 = second.fma(value, b0);
            value = FloatVector.broadcast(F, x1[2 * k]);
            a1 = first.fma(value, a1);
            b1 = second.fma(value, b1);
            value = FloatVector.broadcast(F, x2[2 * k]);
            a2 = first.fma(value, a2);
            b2 = second.fma(value, b2);
            value = FloatVector.broadcast(F, x3[2 * k]);
            a3 = first.fma(value, a3);
            b3 = second.fma(value, b3);
            first = high(word);
            second = high(next);
            value = FloatVector.broadcast(F, x0[2 * k + 1]);
            a0 = first.fma(value, a0);
            b0 = second.fma(value, b0);
            value = FloatVector.broadcast(F, x1[2 * k + 1]);
            a1 = first.fma(value, a1);
            b1 = second.fma(value, b1);
            value = FloatVector.broadcast(F, x2[2 * k + 1]);
            a2 = first.fma(value, a2);
            b2 = second.fma(value, b2);
            value = FloatVector.broadcast(F, x3[2 * k + 1]);
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
