package io.github.bts4j.vector;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.rows.Elements;
import io.github.bts4j.core.rows.Matrix;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * A matrix repacked for products with several vectors: panels of {@link #ROWS} rows, and in a panel one column after the other. A 32-bit word holds one float32, or two bfloat16 or four int8 of
 * neighbouring columns of a row, so that a vector of words has a row in each lane: it is multiplied with one element of x for all rows, and no lanes are ever added. Each row is one chain of sums over the columns
 * in their order, whatever the number of sessions. Missing rows and columns are zeros.
 *
 * <p>Two vectors of rows at a time: of 512 bits, they are in two panels, and memory is prefetched in two streams.
 *
 * <p>On the heap, because loops over arrays are compiled best by the JVM.
 */
abstract class Panels extends Matrix {
    /** Rows of a panel: one vector of 512 bits, two of 256. */
    static final int ROWS = 16;
    static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED.length() > ROWS ? FloatVector.SPECIES_512 : FloatVector.SPECIES_PREFERRED;
    static final int LANES = F.length();

    private static final int TURN = SHARE / LANES; // vectors of rows whose words stay in the cache while all sessions take their turn

    /** {@code [panels][columns / columns per word][ROWS]}. */
    final int[] words;
    /** Words of a row. */
    final int length;

    Panels(Elements w, int rows) {
        super(w);
        int perWord = Float.BYTES / w.type().bytes();
        length = (w.columns() + perWord - 1) / perWord;
        int panels = (rows + SHARE - 1) / SHARE * (SHARE / ROWS);
        words = new int[Math.toIntExact((long) panels * length * ROWS)];
        IntStream.range(0, panels).parallel().forEach(panel -> {
            for (int r = panel * ROWS; r < Math.min(rows, (panel + 1) * ROWS); r++) {
                copy(w, r, words, panel * length * ROWS + r % ROWS);
            }
        });
    }

    private static void copy(Elements w, int row, int[] words, int at) {
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

    @Override
    public final Matrix from(int row) {
        throw new UnsupportedOperationException("Rows of a repacked matrix belong to panels");
    }

    @Override
    public final Matrix repacked(int rows) {
        return this;
    }

    @Override
    public final void pack(float[] x, int at, int length, float[] into) {
        super.pack(x, at, length, into);
        Arrays.fill(into, length, length + 3 & -4, 0);
    }

    @Override
    public final void weightedSum(int rows, float[] p, float[] y, int at) {
        throw new UnsupportedOperationException("Caches are not repacked");
    }

    @Override
    public final void matmul(int from, int to, float[][] x, float[][] y, int at) {
        throwIf(from % SHARE != 0,
                () -> new IllegalArgumentException("from = " + from + ": a share of a repacked matrix begins at a multiple of " + SHARE));
        int whole = Math.max(from, to - to % SHARE);
        turns(from, whole, x, y, at);
        if (whole < to) { // the last rows, with zeros beyond them, go elsewhere first
            float[][] rest = new float[x.length][SHARE];
            turns(whole, whole + SHARE, x, rest, -whole);
            for (int s = 0; s < y.length; s++) {
                System.arraycopy(rest[s], 0, y[s], at + whole, to - whole);
            }
        }
        float[] scales = elements().scales();
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
        if (x.length == 2 || x.length == 3) { // four take less time than two one after the other
            turns(from, to, VectorMatrix.four(x), VectorMatrix.four(y), at);
            return;
        }
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

    /** The sums of two vectors of rows, whose words begin at a and b, with one vector x. */
    abstract void oneSession(int a, int b, float[] x, float[] y, int to);

    /** The same with the four vectors from s on. */
    abstract void fourSessions(int a, int b, float[][] x, float[][] y, int to, int s);
}
