package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Elements;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** {@link Panels} of float32. */
final class Float32Panels extends Panels {
    private static final VectorSpecies<Float> F = Panels.F;
    private static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, F.vectorShape());

    Float32Panels(Elements elements, int rows) {
        super(elements, rows);
    }

    @Override
    void oneSession(int a, int b, float[] x, float[] y, int to) {
        int[] words = this.words;
        int length = this.length;
        FloatVector first = FloatVector.zero(F);
        FloatVector second = first;
        for (int k = 0; k < length; k++) {
            FloatVector value = FloatVector.broadcast(F, x[k]);
            IntVector word = IntVector.fromArray(I, words, a + k * Panels.ROWS);
            first = word.reinterpretAsFloats().fma(value, first);
            word = IntVector.fromArray(I, words, b + k * Panels.ROWS);
            second = word.reinterpretAsFloats().fma(value, second);
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
            FloatVector first = word.reinterpretAsFloats();
            FloatVector second = next.reinterpretAsFloats();
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
        b0.intoArray(y[s], to + Panels.LANES);
        a1.intoArray(y[s + 1], to);
        b1.intoArray(y[s + 1], to + Panels.LANES);
        a2.intoArray(y[s + 2], to);
        b2.intoArray(y[s + 2], to + Panels.LANES);
        a3.intoArray(y[s + 3], to);
        b3.intoArray(y[s + 3], to + Panels.LANES);
    }
}
