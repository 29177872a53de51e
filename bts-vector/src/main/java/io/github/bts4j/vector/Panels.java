package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.rows.RowMath;
import io.github.bts4j.core.torch.TorchType;
import java.nio.ByteBuffer;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * A matrix repacked for products with several vectors: panels of {@link RowMath#SHARE} rows, and in a panel one column after the other. A 32-bit word holds one float32, or two bfloat16 or four int8 of
 * neighbouring columns of a row, so that a vector of words has a row in each lane: it is multiplied with one element of x for all rows, and no lanes are ever added. Each row is one chain of sums over the columns
 * in their order, whatever the number of vectors. Missing rows and columns are zeros.
 *
 * <p>On the heap, because loops over arrays are the ones that the Java machine compiles best.
 *
 * @param words {@code [panels][columns / columns per word][SHARE]}
 * @param type FLOAT32, BFLOAT16 or INT8
 * @param rows number of rows
 * @param length words of a row
 * @param scales for int8, a factor for each row; else empty
 */
record Panels(int[] words, TorchType type, int rows, int length, float[] scales) {
    static final int ROWS = RowMath.SHARE;
    static final VectorSpecies<Float> F = species();
    /** Rows of two vectors: what a kernel computes at once. */
    static final int BLOCK = 2 * F.length();

    private static final int BLOCKS = ROWS / BLOCK;

    private static VectorSpecies<Float> species() {
        return FloatVector.SPECIES_PREFERRED.length() > ROWS / 2 ? FloatVector.SPECIES_512 : FloatVector.SPECIES_PREFERRED;
    }

    static Panels of(Matrix w, int rows) {
        int perWord = Float.BYTES / w.type().bytes();
        int length = (w.columns() + perWord - 1) / perWord;
        int panels = (rows + ROWS - 1) / ROWS;
        int[] words = new int[Math.toIntExact((long) panels * length * ROWS)];
        IntStream.range(0, panels).parallel().forEach(panel -> {
            for (int r = panel * ROWS; r < Math.min(rows, (panel + 1) * ROWS); r++) {
                pack(w, r, words, panel * length * ROWS + r % ROWS);
            }
        });
        return new Panels(words, w.type(), rows, length, w.scales());
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

    /** See {@link RowMath#product}. */
    void product(int from, int to, float[][] x, float[][] y, int at) {
        if (from % ROWS != 0) {
            throw new IllegalArgumentException("from = " + from + ": a share of a repacked matrix begins at a multiple of " + ROWS);
        }
        int last = (to + BLOCK - 1) / BLOCK;
        int whole = to / BLOCK;
        float[][] rest = whole < last ? new float[x.length][BLOCK] : new float[0][];
        if (x.length == 1) {
            oneSession(from / BLOCK, last, whole, x[0], y[0], whole < last ? rest[0] : y[0], at);
        } else {
            for (int block = from / BLOCK; block < last; block += BLOCKS) { // a panel: its words stay in the cache while all vectors take their turn
                sessions(block, Math.min(last, block + BLOCKS), whole, x, y, rest, at);
            }
        }
        for (int k = 0; k < rest.length; k++) {
            System.arraycopy(rest[k], 0, y[k], at + whole * BLOCK, to - whole * BLOCK);
        }
        if (scales.length > 0) {
            for (float[] result : y) {
                for (int r = from; r < to; r++) {
                    result[at + r] *= scales[r];
                }
            }
        }
    }

    /** Two blocks at a time, one of the first half and one of the second: memory is read ahead along two streams. */
    private void oneSession(int first, int last, int whole, float[] x, float[] y, float[] rest, int at) {
        int half = (last - first) / 2;
        for (int b = first; b < first + half; b++) {
            int other = b + half;
            twoBlocks(offset(b), offset(other), x, y, at + b * BLOCK, other < whole ? y : rest, other < whole ? at + other * BLOCK : 0);
        }
        if (first + 2 * half < last) {
            int b = last - 1;
            oneBlock(offset(b), x, b < whole ? y : rest, b < whole ? at + b * BLOCK : 0);
        }
    }

    private void sessions(int first, int last, int whole, float[][] x, float[][] y, float[][] rest, int at) {
        int n = x.length;
        int fours = n < 4 ? 0 : n % 4 == 3 ? n : n - n % 4; // three that are left go with one that is done, which is computed again
        for (int s = 0; s < fours; s += 4) {
            for (int b = first; b < last; b++) {
                fourSessions(offset(b), x, b < whole ? y : rest, b < whole ? at + b * BLOCK : 0, Math.min(s, fours - 4));
            }
        }
        for (int s = fours; s < n; s++) {
            for (int b = first; b < last; b++) {
                oneBlock(offset(b), x[s], b < whole ? y[s] : rest[s], b < whole ? at + b * BLOCK : 0);
            }
        }
    }

    /** Where the words of a block begin. */
    private int offset(int block) {
        return block / BLOCKS * length * ROWS + block % BLOCKS * BLOCK;
    }

    private void oneBlock(int offset, float[] x, float[] y, int to) {
        switch (type) {
            case FLOAT32 -> Float32Panels.oneBlock(words, offset, length, x, y, to);
            case BFLOAT16 -> Bfloat16Panels.oneBlock(words, offset, length, x, y, to);
            default -> Int8Panels.oneBlock(words, offset, length, x, y, to);
        }
    }

    private void twoBlocks(int offset, int other, float[] x, float[] y, int to, float[] otherY, int otherTo) {
        switch (type) {
            case FLOAT32 -> Float32Panels.twoBlocks(words, offset, other, length, x, y, to, otherY, otherTo);
            case BFLOAT16 -> Bfloat16Panels.twoBlocks(words, offset, other, length, x, y, to, otherY, otherTo);
            default -> Int8Panels.twoBlocks(words, offset, other, length, x, y, to, otherY, otherTo);
        }
    }

    private void fourSessions(int offset, float[][] x, float[][] y, int to, int s) {
        switch (type) {
            case FLOAT32 -> Float32Panels.fourSessions(words, offset, length, x, y, to, s);
            case BFLOAT16 -> Bfloat16Panels.fourSessions(words, offset, length, x, y, to, s);
            default -> Int8Panels.fourSessions(words, offset, length, x, y, to, s);
        }
    }
}
