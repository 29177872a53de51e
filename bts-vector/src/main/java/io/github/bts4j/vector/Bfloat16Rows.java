package io.github.bts4j.vector;

import static io.github.bts4j.vector.Memory.words;
import static jdk.incubator.vector.VectorOperators.AND;
import static jdk.incubator.vector.VectorOperators.LSHL;

import io.github.bts4j.core.rows.Elements;
import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows of bfloat16. A 32-bit word holds two values: its lower half, shifted up, and its upper half, are float32 values. Vectors are packed to fit: even elements first, then
 * the odd ones. Every sum goes through the same two chains, whatever computes it.
 */
final class Bfloat16Rows extends VectorMatrix {
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = F.length();
    private static final int UPPER = 0xFFFF0000;
    private static final VectorShuffle<Float> FIRST_HALF = VectorShuffle.fromOp(F, i -> i / 2); // each lane twice
    private static final VectorShuffle<Float> SECOND_HALF = VectorShuffle.fromOp(F, i -> (LANES + i) / 2);
    private static final VectorMask<Float> ODD = VectorMask.fromLong(F, 0xAAAAAAAAAAAAAAAAL);

    Bfloat16Rows(Elements elements, Object memory) {
        super(elements, memory);
    }

    @Override
    public void pack(float[] x, int at, int length, float[] into) {
        interleave(x, at, length, into, 2);
    }

    private static FloatVector low(IntVector word) {
        return word.lanewise(LSHL, 16).reinterpretAsFloats();
    }

    private static FloatVector high(IntVector word) {
        return word.lanewise(AND, UPPER).reinterpretAsFloats();
    }

    private static FloatVector at(float[] x, int i) {
        return FloatVector.fromArray(F, x, i);
    }

    /** Two rows at a time share the loads of x: one of the first half and one of the second, for memory is read ahead along two streams that are far apart, and not along neighbouring rows. */
    @Override
    void rows(int from, int to, float[] x, float[] y, int at) {
        Elements w = elements();
        Object memory = this.memory;
        int columns = w.columns();
        int half = (to - from) / 2;
        for (int r = from; r < from + half; r++) {
            twoRows(memory, (int) w.rowOffset(r), (int) w.rowOffset(r + half), x, columns / 2, y, at + r, at + r + half);
        }
        if (from + 2 * half < to) {
            y[at + to - 1] = row(memory, (int) w.rowOffset(to - 1), x, columns / 2);
        }
        if (columns % (2 * LANES) != 0) {
            for (int r = from; r < to; r++) {
                y[at + r] += tail(w.bytes(), (int) w.rowOffset(r), x, columns);
            }
        }
    }

    private static void twoRows(Object memory, int offset, int other, float[] x, int half, float[] y, int to, int otherTo) {
        FloatVector even = FloatVector.zero(F);
        FloatVector odd = even;
        FloatVector otherEven = even;
        FloatVector otherOdd = even;
        for (int i = 0; i + LANES <= half; i += LANES) {
            FloatVector first = at(x, i);
            FloatVector second = at(x, half + i);
            IntVector word = words(memory, offset + 4 * i);
            even = low(word).fma(first, even);
            odd = high(word).fma(second, odd);
            word = words(memory, other + 4 * i);
            otherEven = low(word).fma(first, otherEven);
            otherOdd = high(word).fma(second, otherOdd);
        }
        y[to] = Lanes.sum(even.add(odd));
        y[otherTo] = Lanes.sum(otherEven.add(otherOdd));
    }

    private static float row(Object memory, int offset, float[] x, int half) {
        FloatVector even = FloatVector.zero(F);
        FloatVector odd = even;
        for (int i = 0; i + LANES <= half; i += LANES) {
            IntVector word = words(memory, offset + 4 * i);
            even = low(word).fma(at(x, i), even);
            odd = high(word).fma(at(x, half + i), odd);
        }
        return Lanes.sum(even.add(odd));
    }

    /** The remaining elements. */
    private static float tail(ByteBuffer bytes, int offset, float[] x, int columns) {
        int half = columns / 2;
        float sum = 0;
        for (int i = half - half % LANES; i < half; i++) {
            int word = bytes.getInt(offset + 4 * i);
            sum += Float.intBitsToFloat(word << 16) * x[i] + Float.intBitsToFloat(word & UPPER) * x[half + i];
        }
        return columns % 2 == 0 ? sum : sum + Float.intBitsToFloat(bytes.getShort(offset + 4 * half) << 16) * x[columns - 1];
    }

    /** With 32 registers of 512 bits. */
    @Override
    boolean isFastestWithFour() {
        return LANES == 16;
    }

    /** Two rows at a time share the loads of x, as for one vector, where there are registers for sixteen sums. */
    @Override
    void fourSessions(int from, int to, float[][] x, float[][] y, int at, int s) {
        Elements w = elements();
        Object memory = this.memory;
        int half = isFastestWithFour() ? (to - from) / 2 : 0;
        int sessions = y[s + 3] == y[s + 2] ? 3 : 4;
        float[] lanes = new float[8 * LANES];
        for (int r = from; r < from + half; r++) {
            fourSessions(memory, (int) w.rowOffset(r), (int) w.rowOffset(r + half), w.columns() / 2, x, s, lanes);
            for (int k = 0; k < sessions; k++) {
                y[s + k][at + r] = Lanes.sum(lanes, k * LANES);
                y[s + k][at + r + half] = Lanes.sum(lanes, (4 + k) * LANES);
            }
        }
        for (int r = from + 2 * half; r < to; r++) {
            oneRow(memory, (int) w.rowOffset(r), w.columns() / 2, x, s, lanes);
            for (int k = 0; k < sessions; k++) {
                y[s + k][at + r] = Lanes.sum(lanes, k * LANES);
            }
        }
        if (w.columns() % (2 * LANES) != 0) {
            for (int r = from; r < to; r++) {
                for (int k = s; k < s + 4 && (k == s || y[k] != y[k - 1]); k++) { // what is computed twice is added to once
                    y[k][at + r] += tail(w.bytes(), (int) w.rowOffset(r), x[k], w.columns());
                }
            }
        }
    }

    private static void fourSessions(Object memory, int offset, int other, int half, float[][] x, int s, float[] lanes) {
        float[] x0 = x[s];
        float[] x1 = x[s + 1];
        float[] x2 = x[s + 2];
        float[] x3 = x[s + 3];
        FloatVector zero = FloatVector.zero(F);
        FloatVector even0 = zero, even1 = zero, even2 = zero, even3 = zero, otherEven0 = zero, otherEven1 = zero, otherEven2 = zero, otherEven3 = zero;
        FloatVector odd0 = zero, odd1 = zero, odd2 = zero, odd3 = zero, otherOdd0 = zero, otherOdd1 = zero, otherOdd2 = zero, otherOdd3 = zero;
        for (int i = 0; i + LANES <= half; i += LANES) {
            IntVector word = words(memory, offset + 4 * i);
            IntVector otherWord = words(memory, other + 4 * i);
            FloatVector w = low(word);
            FloatVector v = low(otherWord);
            FloatVector value = at(x0, i);
            even0 = w.fma(value, even0);
            otherEven0 = v.fma(value, otherEven0);
            value = at(x1, i);
            even1 = w.fma(value, even1);
            otherEven1 = v.fma(value, otherEven1);
            value = at(x2, i);
            even2 = w.fma(value, even2);
            otherEven2 = v.fma(value, otherEven2);
            value = at(x3, i);
            even3 = w.fma(value, even3);
            otherEven3 = v.fma(value, otherEven3);
            w = high(word);
            v = high(otherWord);
            value = at(x0, half + i);
            odd0 = w.fma(value, odd0);
            otherOdd0 = v.fma(value, otherOdd0);
            value = at(x1, half + i);
            odd1 = w.fma(value, odd1);
            otherOdd1 = v.fma(value, otherOdd1);
            value = at(x2, half + i);
            odd2 = w.fma(value, odd2);
            otherOdd2 = v.fma(value, otherOdd2);
            value = at(x3, half + i);
            odd3 = w.fma(value, odd3);
            otherOdd3 = v.fma(value, otherOdd3);
        }
        even0.add(odd0).intoArray(lanes, 0);
        otherEven0.add(otherOdd0).intoArray(lanes, 4 * LANES);
        even1.add(odd1).intoArray(lanes, LANES);
        otherEven1.add(otherOdd1).intoArray(lanes, 5 * LANES);
        even2.add(odd2).intoArray(lanes, 2 * LANES);
        otherEven2.add(otherOdd2).intoArray(lanes, 6 * LANES);
        even3.add(odd3).intoArray(lanes, 3 * LANES);
        otherEven3.add(otherOdd3).intoArray(lanes, 7 * LANES);
    }

    private static void oneRow(Object memory, int offset, int half, float[][] x, int s, float[] lanes) {
        float[] x0 = x[s];
        float[] x1 = x[s + 1];
        float[] x2 = x[s + 2];
        float[] x3 = x[s + 3];
        FloatVector even0 = FloatVector.zero(F);
        FloatVector odd0 = even0;
        FloatVector even1 = even0;
        FloatVector odd1 = even0;
        FloatVector even2 = even0;
        FloatVector odd2 = even0;
        FloatVector even3 = even0;
        FloatVector odd3 = even0;
        for (int i = 0; i + LANES <= half; i += LANES) {
            IntVector word = words(memory, offset + 4 * i);
            FloatVector low = low(word);
            even0 = low.fma(at(x0, i), even0);
            even1 = low.fma(at(x1, i), even1);
            even2 = low.fma(at(x2, i), even2);
            even3 = low.fma(at(x3, i), even3);
            FloatVector high = high(word);
            odd0 = high.fma(at(x0, half + i), odd0);
            odd1 = high.fma(at(x1, half + i), odd1);
            odd2 = high.fma(at(x2, half + i), odd2);
            odd3 = high.fma(at(x3, half + i), odd3);
        }
        even0.add(odd0).intoArray(lanes, 0);
        even1.add(odd1).intoArray(lanes, LANES);
        even2.add(odd2).intoArray(lanes, 2 * LANES);
        even3.add(odd3).intoArray(lanes, 3 * LANES);
    }

    @Override
    public void weightedSum(int rows, float[] p, float[] y, int at) {
        Elements w = elements();
        Object memory = this.memory;
        int columns = w.columns();
        int words = columns / 2;
        float[] lanes = new float[2 * LANES];
        int i = 0;
        for (; i + LANES <= words; i += LANES) {
            weightedWords(memory, (int) w.offset() + 4 * i, 2 * columns, rows, p, lanes);
            for (int k = 0; k < LANES; k++) {
                y[at + 2 * (i + k)] = lanes[k];
                y[at + 2 * (i + k) + 1] = lanes[LANES + k];
            }
        }
        for (int column = 2 * i; column < columns; column++) {
            float sum = 0;
            for (int r = 0; r < rows; r++) {
                sum += p[r] * w.get(r, column);
            }
            y[at + column] = sum;
        }
    }

    @Override
    public void addWeightedSum(int rows, float[] p, int from, int to, float[] y) {
        Elements w = elements();
        Object memory = this.memory;
        int columns = w.columns();
        int c = from;
        for (; c + 2 * LANES <= to && columns % 2 == 0; c += 2 * LANES) {
            addWeightedWords(memory, (int) w.offset() + 2 * c, 2 * columns, rows, p, y, c);
        }
        if (c < to) {
            super.addWeightedSum(rows, p, c, to, y);
        }
    }

    private static void addWeightedWords(Object memory, int offset, int stride, int rows, float[] p, float[] y, int c) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = low;
        for (int r = 0; r < rows; r++) {
            IntVector word = words(memory, offset + r * stride);
            FloatVector weight = FloatVector.broadcast(F, p[r]);
            low = low(word).fma(weight, low);
            high = high(word).fma(weight, high);
        }
        at(y, c).add(low.rearrange(FIRST_HALF).blend(high.rearrange(FIRST_HALF), ODD)).intoArray(y, c);
        at(y, c + LANES).add(low.rearrange(SECOND_HALF).blend(high.rearrange(SECOND_HALF), ODD)).intoArray(y, c + LANES);
    }

    /** Three or four sums share the reading of the rows. */
    @Override
    public void weightedSums(int rows, float[][] p, float[] y, int at) {
        Elements w = elements();
        int columns = w.columns();
        if (p.length < 3 || p.length > 4 || columns % (2 * LANES) != 0) {
            super.weightedSums(rows, p, y, at);
            return;
        }
        float[][] four = four(p);
        float[] lanes = new float[8 * LANES];
        for (int i = 0; i < columns / 2; i += LANES) {
            fourWeightedWords(memory, (int) w.offset() + 4 * i, 2 * columns, rows, four, lanes);
            for (int s = 0; s < p.length; s++) {
                int to = at + s * columns + 2 * i;
                for (int k = 0; k < LANES; k++) {
                    y[to + 2 * k] = lanes[2 * s * LANES + k];
                    y[to + 2 * k + 1] = lanes[(2 * s + 1) * LANES + k];
                }
            }
        }
    }

    private static void fourWeightedWords(Object memory, int offset, int stride, int rows, float[][] p, float[] into) {
        float[] p0 = p[0];
        float[] p1 = p[1];
        float[] p2 = p[2];
        float[] p3 = p[3];
        FloatVector low0 = FloatVector.zero(F), low1 = low0, low2 = low0, low3 = low0;
        FloatVector high0 = low0, high1 = low0, high2 = low0, high3 = low0;
        for (int r = 0; r < rows; r++) {
            IntVector word = words(memory, offset + r * stride);
            FloatVector low = low(word);
            FloatVector high = high(word);
            FloatVector weight = FloatVector.broadcast(F, p0[r]);
            low0 = low.fma(weight, low0);
            high0 = high.fma(weight, high0);
            weight = FloatVector.broadcast(F, p1[r]);
            low1 = low.fma(weight, low1);
            high1 = high.fma(weight, high1);
            weight = FloatVector.broadcast(F, p2[r]);
            low2 = low.fma(weight, low2);
            high2 = high.fma(weight, high2);
            weight = FloatVector.broadcast(F, p3[r]);
            low3 = low.fma(weight, low3);
            high3 = high.fma(weight, high3);
        }
        low0.intoArray(into, 0);
        high0.intoArray(into, LANES);
        low1.intoArray(into, 2 * LANES);
        high1.intoArray(into, 3 * LANES);
        low2.intoArray(into, 4 * LANES);
        high2.intoArray(into, 5 * LANES);
        low3.intoArray(into, 6 * LANES);
        high3.intoArray(into, 7 * LANES);
    }

    private static void weightedWords(Object memory, int offset, int stride, int rows, float[] p, float[] into) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = low;
        for (int r = 0; r < rows; r++) {
            IntVector word = words(memory, offset + r * stride);
            FloatVector weight = FloatVector.broadcast(F, p[r]);
            low = low(word).fma(weight, low);
            high = high(word).fma(weight, high);
        }
        low.intoArray(into, 0);
        high.intoArray(into, LANES);
    }
}
