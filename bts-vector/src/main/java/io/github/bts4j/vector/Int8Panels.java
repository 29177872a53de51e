package io.github.bts4j.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** Products of one block of {@link Panels} of int8, without their scales: a word holds four columns of a row. */
final class Int8Panels {
    private static final VectorSpecies<Float> F = Panels.F;
    private static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, F.vectorShape());
    private static final int LANES = F.length();

    private Int8Panels() {
    }

    private static FloatVector value(IntVector word, int place) {
        IntVector top = place == 3 ? word : word.lanewise(LSHL, 24 - 8 * place);
        return (FloatVector) top.lanewise(ASHR, 24).convert(I2F, 0);
    }

    static void oneBlock(int[] words, int offset, int length, float[] x, float[] y, int to) {
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        for (int k = 0; k < length; k++) {
            int at = offset + k * Panels.ROWS;
            IntVector first = IntVector.fromArray(I, words, at);
            IntVector second = IntVector.fromArray(I, words, at + LANES);
            FloatVector x0 = FloatVector.broadcast(F, x[4 * k]);
            FloatVector x1 = FloatVector.broadcast(F, x[4 * k + 1]);
            FloatVector x2 = FloatVector.broadcast(F, x[4 * k + 2]);
            FloatVector x3 = FloatVector.broadcast(F, x[4 * k + 3]);
            a = value(first, 3).fma(x3, value(first, 2).fma(x2, value(first, 1).fma(x1, value(first, 0).fma(x0, a))));
            b = value(second, 3).fma(x3, value(second, 2).fma(x2, value(second, 1).fma(x1, value(second, 0).fma(x0, b))));
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
            FloatVector x0 = FloatVector.broadcast(F, x[4 * k]);
            FloatVector x1 = FloatVector.broadcast(F, x[4 * k + 1]);
            FloatVector x2 = FloatVector.broadcast(F, x[4 * k + 2]);
            FloatVector x3 = FloatVector.broadcast(F, x[4 * k + 3]);
            IntVector word = IntVector.fromArray(I, words, at);
            a = value(word, 3).fma(x3, value(word, 2).fma(x2, value(word, 1).fma(x1, value(word, 0).fma(x0, a))));
            word = IntVector.fromArray(I, words, at + LANES);
            b = value(word, 3).fma(x3, value(word, 2).fma(x2, value(word, 1).fma(x1, value(word, 0).fma(x0, b))));
            word = IntVector.fromArray(I, words, otherAt);
            otherA = value(word, 3).fma(x3, value(word, 2).fma(x2, value(word, 1).fma(x1, value(word, 0).fma(x0, otherA))));
            word = IntVector.fromArray(I, words, otherAt + LANES);
            otherB = value(word, 3).fma(x3, value(word, 2).fma(x2, value(word, 1).fma(x1, value(word, 0).fma(x0, otherB))));
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
            for (int place = 0; place < 4; place++) {
                FloatVector first = (FloatVector) word.lanewise(LSHL, 24 - 8 * place).lanewise(ASHR, 24).convert(I2F, 0);
                FloatVector second = (FloatVector) next.lanewise(LSHL, 24 - 8 * place).lanewise(ASHR, 24).convert(I2F, 0);
                FloatVector value = FloatVector.broadcast(F, x0[4 * k + place]);
                a0 = first.fma(value, a0);
                b0 = second.fma(value, b0);
                value = FloatVector.broadcast(F, x1[4 * k + place]);
                a1 = first.fma(value, a1);
                b1 = second.fma(value, b1);
                value = FloatVector.broadcast(F, x2[4 * k + place]);
                a2 = first.fma(value, a2);
                b2 = second.fma(value, b2);
                value = FloatVector.broadcast(F, x3[4 * k + place]);
                a3 = first.fma(value, a3);
                b3 = second.fma(value, b3);
            }
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
