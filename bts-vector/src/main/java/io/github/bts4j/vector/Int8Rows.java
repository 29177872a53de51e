package io.github.bts4j.vector;

import static io.github.bts4j.vector.Memory.words;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import io.github.bts4j.core.rows.Elements;
import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** Rows of int8 with a scale each. A 32-bit word holds four values; vectors are packed to fit. Every sum goes through the same two chains, whatever computes it. */
final class Int8Rows extends VectorMatrix {
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = F.length();

    Int8Rows(Elements elements, Object memory) {
        super(elements, memory);
    }

    @Override
    public void pack(float[] x, int at, int length, float[] into) {
        interleave(x, at, length, into, 4);
    }

    private static FloatVector value(IntVector word, int place) {
        IntVector top = place == 3 ? word : word.lanewise(LSHL, 24 - 8 * place);
        return (FloatVector) top.lanewise(ASHR, 24).convert(I2F, 0);
    }

    private static FloatVector at(float[] x, int i) {
        return FloatVector.fromArray(F, x, i);
    }

    @Override
    void rows(int from, int to, float[] x, float[] y, int at) {
        Elements w = elements();
        Object memory = this.memory;
        int columns = w.columns();
        for (int r = from; r < to; r++) {
            int offset = (int) w.rowOffset(r);
            y[at + r] = (row(memory, offset, x, columns / 4) + tail(w.bytes(), offset, x, columns)) * w.scales()[r];
        }
    }

    private static float row(Object memory, int offset, float[] x, int quarter) {
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        for (int i = 0; i + LANES <= quarter; i += LANES) {
            IntVector word = words(memory, offset + 4 * i);
            a = value(word, 0).fma(at(x, i), a);
            b = value(word, 1).fma(at(x, quarter + i), b);
            a = value(word, 2).fma(at(x, 2 * quarter + i), a);
            b = value(word, 3).fma(at(x, 3 * quarter + i), b);
        }
        return Lanes.sum(a.add(b));
    }

    /** The remaining elements. */
    private static float tail(ByteBuffer bytes, int offset, float[] x, int columns) {
        int quarter = columns / 4;
        float sum = 0;
        for (int i = quarter - quarter % LANES; i < quarter; i++) {
            for (int place = 0; place < 4; place++) {
                sum += bytes.get(offset + 4 * i + place) * x[place * quarter + i];
            }
        }
        for (int i = 4 * quarter; i < columns; i++) {
            sum += bytes.get(offset + i) * x[i];
        }
        return sum;
    }

    @Override
    void fourSessions(int from, int to, float[][] x, float[][] y, int at, int s) {
        Elements w = elements();
        Object memory = this.memory;
        for (int r = from; r < to; r++) {
            int offset = (int) w.rowOffset(r);
            fourSessions(memory, offset, w.columns() / 4, x, y, at + r, s);
            for (int k = s; k < s + 4; k++) {
                y[k][at + r] = (y[k][at + r] + tail(w.bytes(), offset, x[k], w.columns())) * w.scales()[r];
            }
        }
    }

    private static void fourSessions(Object memory, int offset, int quarter, float[][] x, float[][] y, int to, int s) {
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
        for (int i = 0; i + LANES <= quarter; i += LANES) {
            IntVector word = words(memory, offset + 4 * i);
            FloatVector value = value(word, 0);
            a0 = value.fma(at(x0, i), a0);
            a1 = value.fma(at(x1, i), a1);
            a2 = value.fma(at(x2, i), a2);
            a3 = value.fma(at(x3, i), a3);
            value = value(word, 1);
            b0 = value.fma(at(x0, quarter + i), b0);
            b1 = value.fma(at(x1, quarter + i), b1);
            b2 = value.fma(at(x2, quarter + i), b2);
            b3 = value.fma(at(x3, quarter + i), b3);
            value = value(word, 2);
            a0 = value.fma(at(x0, 2 * quarter + i), a0);
            a1 = value.fma(at(x1, 2 * quarter + i), a1);
            a2 = value.fma(at(x2, 2 * quarter + i), a2);
            a3 = value.fma(at(x3, 2 * quarter + i), a3);
            value = value(word, 3);
            b0 = value.fma(at(x0, 3 * quarter + i), b0);
            b1 = value.fma(at(x1, 3 * quarter + i), b1);
            b2 = value.fma(at(x2, 3 * quarter + i), b2);
            b3 = value.fma(at(x3, 3 * quarter + i), b3);
        }
        y[s][to] = Lanes.sum(a0.add(b0));
        y[s + 1][to] = Lanes.sum(a1.add(b1));
        y[s + 2][to] = Lanes.sum(a2.add(b2));
        y[s + 3][to] = Lanes.sum(a3.add(b3));
    }

    @Override
    public void weightedSum(int rows, float[] p, float[] y, int at) {
        throw new UnsupportedOperationException("Caches are not int8");
    }
}
