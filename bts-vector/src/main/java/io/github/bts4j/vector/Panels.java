package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.rows.Arithmetic;
import io.github.bts4j.core.torch.TorchType;
import java.nio.ByteBuffer;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * A matrix repacked for products with several vectors: panels of {@link #ROWS} rows, and in a panel one column after the other. A 32-bit word holds one float32, or two bfloat16 or four int8 of
 * neighbouring columns of a row, so that a vector of words has a row in each lane: it is multiplied with one element of x for all rows, and no lanes are ever added. Each row is one chain of sums over the columns
 * in their order, whatever the number of sessions. Missing rows and columns are zeros.
 *
 * <p>Two vectors of rows at a time: of 512 bits, they lie in two panels, and memory is read ahead along two streams.
 *
 * <p>On the heap, because loops over arrays are the ones that the Java machine compiles best.
 *
 * @param words {@code [panels][columns / columns per word][ROWS]}
 * @param type FLOAT32, BFLOAT16 or INT8
 * @param length words of a row
 * @param scales for int8, a factor for each row; else empty
 */
record Panels(int[] words, TorchType type, int length, float[] scales) {
    /** Rows of a panel: one vector of 512 bits, two of 256. */
    static final int ROWS = 16;
    static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED.length() > ROWS ? FloatVector.SPECIES_512 : FloatVector.SPECIES_PREFERRED;
    static final int LANES = F.length();

    private static final int TURN = Arithmetic.SHARE / LANES; // vectors of rows whose words stay in the cache while all sessions take their turn

    static Panels of(Matrix w, int rows) {
        int perWord = Float.BYTES / w.type().bytes();
        int length = (w.columns() + perWord - 1) / perWord;
        int panels = (rows + Arithmetic.SHARE - 1) / Arithmetic.SHARE * (Arithmetic.SHARE / ROWS);
        int[] words = new int[Math.toIntExact((long) panels * length * ROWS)];
        IntStream.range(0, panels).parallel().forEach(panel -> {
            for (int r = panel * ROWS; r < Math.min(rows, (panel + 1) * ROWS); r++) {
                pack(w, r, words, panel * length * ROWS + r % ROWS);
            }
        });
        return new Panels(words, w.type(), length, w.scales());
    }

    private static void pack(Matrix w, int row, int[] words, int at) {
        ByteBuffer bytes = w.bytes();
        int begin = Math.toIntExact(w.rowOffset(row));
        int size = w.columns() * w.type().bytes();
        int k = 0;
        for (; Float.BYTES * (k + 1) <= size; k++) {
            words[at + k * ROWS] = bytes.getInt(begin + Float.BYTES * k);
        }
        for (int i = Float.BYTES * k; i < size; i++) {
            words[at + k * ROWS] |= (bytes.get(begin + i) & 0xFF) << 8 * (i % Float.BYTES);
        }
    }

    /** See {@link Arithmetic#matmul}. */
    void matmul(int from, int to, float[][] x, float[][] y, int at) {
        if (from % Arithmetic.SHARE != 0) {
            throw new IllegalArgumentException("from = " + from + ": a share of a repacked matrix begins at a multiple of " + Arithmetic.SHARE);
        }
        int whole = Math.max(from, to - to % Arithmetic.SHARE);
        turns(from, whole, x, y, at);
        if (whole < to) { // the last rows, with zeros beyond them, go elsewhere first
            float[][] rest = new float[x.length][Arithmetic.SHARE];
            turns(whole, whole + Arithmetic.SHARE, x, rest, -whole);
            for (int s = 0; s < y.length; s++) {
                System.arraycopy(rest[s], 0, y[s], at + whole, to - whole);
            }
        }
        if (scales.length > 0) {
            for (float[] result : y) {
                for (int r = from; r < to; r++) {
                    result[at + r] *= scales[r];
                }
            }
        }
    }

    private void turns(int from, int to, float[][] x, float[][] y, int at) {
        int first = from / LANES;
        int last = to / LANES;
        int n = x.length;
        int fours = n < 4 ? 0 : n % 4 == 3 ? n : n - n % 4; // three that are left go with one that is done, which is computed again
        for (int v = first; v < last; v += TURN) {
            for (int s = 0; s < fours; s += 4) {
                for (int each = v; each < v + TURN; each += 2) {
                    fourSessions(offset(each), offset(each + 1), x, y, at + each * LANES, Math.min(s, n - 4));
                }
            }
            for (int s = fours; s < n; s++) {
                for (int each = v; each < v + TURN; each += 2) {
                    oneSession(offset(each), offset(each + 1), x[s], y[s], at + each * LANES);
                }
            }
        }
    }

    /** Where the words of a vector of rows begin. */
    private int offset(int vector) {
        int row = vector * LANES;
        return row / ROWS * ROWS * length + row % ROWS;
    }

    private void oneSession(int a, int b, float[] x, float[] y, int to) {
        switch (type) {
            case FLOAT32 -> Float32Panels.oneSession(words, a, b, length, x, y, to);
            case BFLOAT16 -> Bfloat16Panels.oneSession(words, a, b, length, x, y, to);
            default -> Int8Panels.oneSession(words, a, b, length, x, y, to);
        }
    }

    private void fourSessions(int a, int b, float[][] x, float[][] y, int to, int s) {
        switch (type) {
            case FLOAT32 -> Float32Panels.fourSessions(words, a, b, length, x, y, to, s);
            case BFLOAT16 -> Bfloat16Panels.fourSessions(words, a, b, length, x, y, to, s);
            default -> Int8Panels.fourSessions(words, a, b, length, x, y, to, s);
        }
    }
}
