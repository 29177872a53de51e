package io.github.bts4j.vector;

import static io.github.bts4j.vector.Memory.words;

import io.github.bts4j.core.rows.Elements;
import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Rows of float32. Every sum goes through the same two chains, whatever computes it. */
final class Float32Rows extends VectorMatrix {
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = F.length();

    Float32Rows(Elements elements, Object memory) {
        super(elements, memory);
    }

    private static FloatVector load(Object memory, int offset, int i) {
        return words(memory, offset + 4 * i).reinterpretAsFloats();
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
            y[at + r] = row(memory, offset, x, columns) + tail(w.bytes(), offset, x, columns);
        }
    }

    private static float row(Object memory, int offset, float[] x, int columns) {
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        int i = 0;
        for (; i + 2 * LANES <= columns; i += 2 * LANES) {
            a = load(memory, offset, i).fma(at(x, i), a);
            b = load(memory, offset, i + LANES).fma(at(x, i + LANES), b);
        }
        if (i + LANES <= columns) {
            a = load(memory, offset, i).fma(at(x, i), a);
        }
        return Lanes.sum(a.add(b));
    }

    /** The remaining elements. */
    private static float tail(ByteBuffer bytes, int offset, float[] x, int columns) {
        float sum = 0;
        for (int i = columns - columns % LANES; i < columns; i++) {
            sum += bytes.getFloat(offset + 4 * i) * x[i];
        }
        return sum;
    }

    @Override
    void fourSessions(int from, int to, float[][] x, float[][] y, int at, int s) {
        Elements w = elements();
        Object memory = this.memory;
        for (int r = from; r < to; r++) {
            int offset = (int) w.rowOffset(r);
            fourSessions(memory, offset, w.columns(), x, y, at + r, s);
            for (int k = s; k < s + 4; k++) {
                y[k][at + r] += tail(w.bytes(), offset, x[k], w.columns());
            }
        }
    }

    private static void fourSessions(Object memory, int offset, int columns, float[][] x, float[][] y, int to, int s) {
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
        int i = 0;
        for (; i + 2 * LANES <= columns; i += 2 * LANES) {
            FloatVector word = load(memory, offset, i);
            a0 = word.fma(at(x0, i), a0);
            a1 = word.fma(at(x1, i), a1);
            a2 = word.fma(at(x2, i), a2);
            a3 = word.fma(at(x3, i), a3);
            word = load(memory, offset, i + LANES);
            b0 = word.fma(at(x0, i + LANES), b0);
            b1 = word.fma(at(x1, i + LANES), b1);
            b2 = word.fma(at(x2, i + LANES), b2);
            b3 = word.fma(at(x3, i + LANES), b3);
        }
        if (i + LANES <= columns) {
            FloatVector word = load(memory, offset, i);
            a0 = word.fma(at(x0, i), a0);
            a1 = word.fma(at(x1, i), a1);
            a2 = word.fma(at(x2, i), a2);
            a3 = word.fma(at(x3, i), a3);
        }
        y[s][to] = Lanes.sum(a0.add(b0));
        y[s + 1][to] = Lanes.sum(a1.add(b1));
        y[s + 2][to] = Lanes.sum(a2.add(b2));
        y[s + 3][to] = Lanes.sum(a3.add(b3));
    }

    @Override
    public void weightedSum(int rows, float[] p, float[] y, int at) {
        Elements w = elements();
        Object memory = this.memory;
        int columns = w.columns();
        int i = 0;
        for (; i + LANES <= columns; i += LANES) {
            FloatVector sum = FloatVector.zero(F);
            for (int r = 0; r < rows; r++) {
                sum = load(memory, (int) w.rowOffset(r), i).fma(FloatVector.broadcast(F, p[r]), sum);
            }
            sum.intoArray(y, at + i);
        }
        for (; i < columns; i++) {
            float sum = 0;
            for (int r = 0; r < rows; r++) {
                sum += p[r] * w.get(r, i);
            }
            y[at + i] = sum;
        }
    }

    @Override
    public void addWeightedSum(int rows, float[] p, int from, int to, float[] y) {
        Elements w = elements();
        Object memory = this.memory;
        int c = from;
        for (; c + LANES <= to; c += LANES) {
            FloatVector sum = FloatVector.zero(F);
            for (int r = 0; r < rows; r++) {
                sum = load(memory, (int) w.rowOffset(r), c).fma(FloatVector.broadcast(F, p[r]), sum);
            }
            at(y, c).add(sum).intoArray(y, c);
        }
        if (c < to) {
            super.addWeightedSum(rows, p, c, to, y);
        }
    }
}
