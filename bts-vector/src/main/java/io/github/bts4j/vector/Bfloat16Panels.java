package io.github.bts4j.vector;

import static jdk.incubator.vector.VectorOperators.AND;
import static jdk.incubator.vector.VectorOperators.LSHL;

import io.github.bts4j.core.rows.Elements;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** {@link Panels} of bfloat16: a word holds two columns of a row, which as float32 are its lower half, shifted up, and its upper half. */
final class Bfloat16Panels extends Panels {
    private static final VectorSpecies<Float> F = Panels.F;
    private static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, F.vectorShape());

    Bfloat16Panels(Elements elements, int rows) {
        super(elements, rows);
    }

    private static FloatVector low(IntVector word) {
        return word.lanewise(LSHL, 16).reinterpretAsFloats();
    }

    private static FloatVector high(IntVector word) {
        return word.lanewise(AND, 0xFFFF0000).reinterpretAsFloats();
    }

    @Override
    void oneSession(int a, int b, float[] x, float[] y, int to) {
        int[] words = this.words;
        int length = this.length;
        FloatVector first = FloatVector.zero(F);
        FloatVector second = first;
        for (int k = 0; k < length; k++) {
            FloatVector x0 = FloatVector.broadcast(F, x[2 * k]);
            FloatVector x1 = FloatVector.broadcast(F, x[2 * k + 1]);
            IntVector word = IntVector.fromArray(I, words, a + k * Panels.ROWS);
            first = high(word).fma(x1, low(word).fma(x0, first));
            word = IntVector.fromArray(I, words, b + k * Panels.ROWS);
            second = high(word).fma(x1, low(word).fma(x0, second));
        }
        first.intoArray(y, to);
        second.intoArray(y, to + Panels.LANES);
    }

    @Override
    void fourSessions(int a, int b, float[][] x, float[][] y, int to, int s) {
        int[] words = this.words;
        int length = this.length;
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
            IntVector word = IntVector.fromArray(I, words, a + k * Panels.ROWS);
            IntVector next = IntVector.fromArray(I, words, b + k * Panels.ROWS);
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
        b0.intoArray(y[s], to + Panels.LANES);
        a1.intoArray(y[s + 1], to);
        b1.intoArray(y[s + 1], to + Panels.LANES);
        a2.intoArray(y[s + 2], to);
        b2.intoArray(y[s + 2], to + Panels.LANES);
        a3.intoArray(y[s + 3], to);
        b3.intoArray(y[s + 3], to + Panels.LANES);
    }
}
