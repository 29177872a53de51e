package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Elements;
import io.github.bts4j.core.rows.Matrix;

/** A matrix in a tensor's memory. Each row is read once for all vectors. */
abstract class VectorMatrix extends Matrix {
    private static final int BLOCK = 16; // rows that stay in the first cache while several vectors take their turn

    /** What {@link Memory#words} reads from. */
    final Object memory;

    VectorMatrix(Elements elements, Object memory) {
        super(elements);
        this.memory = memory;
    }

    static VectorMatrix of(Elements elements, Object memory) {
        return switch (elements.type()) {
            case FLOAT32 -> new Float32Rows(elements, memory);
            case BFLOAT16 -> new Bfloat16Rows(elements, memory);
            case INT8 -> new Int8Rows(elements, memory);
            default -> throw new IllegalArgumentException("No products with matrices of " + elements.type());
        };
    }

    @Override
    public final Matrix from(int row) {
        return of(elements().from(row), memory);
    }

    @Override
    public final Matrix repacked(int rows) {
        return switch (elements().type()) {
            case FLOAT32 -> new Float32Panels(elements(), rows);
            case BFLOAT16 -> new Bfloat16Panels(elements(), rows);
            default -> new Int8Panels(elements(), rows);
        };
    }

    /** Elements 0, n, 2n, .., then 1, n + 1, .., and so on: those in the same position of each 32-bit word of a row; last what fills no word. */
    static void interleave(float[] x, int at, int length, float[] into, int n) {
        int words = length / n;
        for (int part = 0; part < n; part++) {
            for (int i = 0; i < words; i++) {
                into[part * words + i] = x[at + n * i + part];
            }
        }
        System.arraycopy(x, at + n * words, into, n * words, length - n * words);
    }

    @Override
    public final void matmul(int from, int to, float[][] x, float[][] y, int at) {
        if (x.length == 1) {
            rows(from, to, x[0], y[0], at);
            return;
        }
        if ((x.length == 3 || x.length == 4) && isFastestWithFour()) {
            fourSessions(from, to, four(x), four(y), at, 0);
            return;
        }
        for (int first = from; first < to; first += BLOCK) {
            int last = Math.min(to, first + BLOCK);
            int s = 0;
            for (; s + 4 <= x.length; s += 4) {
                fourSessions(first, last, x, y, at, s);
            }
            for (; s < x.length; s++) {
                rows(first, last, x[s], y[s], at);
            }
        }
    }

    /** Two, three or four vectors as four: what is computed twice is the same. */
    static float[][] four(float[][] rows) {
        int n = rows.length;
        return new float[][] {rows[0], rows[1], rows[Math.min(2, n - 1)], rows[n - 1]};
    }

    /** Whether four vectors take less time than three of them one after the other. */
    boolean isFastestWithFour() {
        return false;
    }

    /** Rows from .. to - 1 times one vector. */
    abstract void rows(int from, int to, float[] x, float[] y, int at);

    /** The same times the four vectors from s on. */
    abstract void fourSessions(int from, int to, float[][] x, float[][] y, int at, int s);
}
