package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import io.github.bts4j.core.rows.Matrix;
import java.nio.ByteBuffer;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows in ggml's blocks, read where they are. A value is {@code s q + m} with integers q; s and m are those of a group of values. So a row's product with x is
 * {@code sum_g s_g (sum q x) + sum_g m_g (sum x)}: first s and m of all groups of a row are computed, then the integers are multiplied with x, in float32.
 *
 * <p>Vectors are packed as they are, with the sums of 32 values each behind them. Two rows at a time share the loads of x, for memory is read ahead along two streams that
 * are far apart. Every sum goes through one chain, whatever computes it.
 */
abstract class BlockRows extends Matrix {
    static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    static final int LANES = F.length();
    static final int GROUP = 32;

    private static final int TURN = 8; // pairs of rows that stay in the first cache while several vectors take their turn

    /** What {@link Memory.Bytes} reads from. */
    final Object memory;
    final Blocks blocks;
    final int columns;

    BlockRows(Blocks blocks) {
        super(blocks);
        this.blocks = blocks;
        this.memory = Memory.of(blocks.bytes());
        this.columns = blocks.columns();
    }

    static Matrix of(Blocks blocks) {
        if (LANES != 8 && LANES != 16) {
            return new DecodedRows(blocks);
        }
        return switch (blocks.type()) {
            case Q8_0 -> new Q8Rows(blocks);
            case Q4_0, Q4_1 -> new NibbleRows(blocks);
            case Q5_0, Q5_1 -> new FiveBitRows(blocks);
            case Q4_K -> new Q4KRows(blocks);
            case Q5_K -> new Q5KRows(blocks);
            case Q6_K -> new Q6KRows(blocks);
            default -> new DecodedRows(blocks);
        };
    }

    /** {@return the number of values that share a factor} */
    int grouped() {
        return GROUP;
    }

    /** Reads the bits of a row's factors, and of its summands if there are any, or computes them at once. */
    abstract void read(ByteBuffer bytes, int offset, Scales scales, int row);

    /** Converts what was read; what is behind the groups of a row is not used. */
    void convert(Scales scales) {
        // computed at once
    }

    /** The vectors of sums of {@code s q x + m x} of two rows of the matrix, one behind the other; they are rows {@code row} and {@code row + 1} of the scales. */
    abstract void twoRows(Object memory, int offset, int other, float[] x, Scales scales, int row, float[] lanes);

    @Override
    public final Matrix from(int row) {
        return of(blocks.from(row));
    }

    @Override
    public final Matrix repacked(int rows) {
        return this;
    }

    @Override
    public final boolean packsLike(Matrix other) {
        return other instanceof BlockRows;
    }

    @Override
    public final void pack(float[] x, int at, int length, float[] into) {
        System.arraycopy(x, at, into, 0, length);
        int sums = sumsAt(length);
        Arrays.fill(into, length, Matrix.room(length), 0);
        for (int i = 0; i < length; i++) {
            into[sums + i / GROUP] += x[at + i];
        }
    }

    private static int sumsAt(int length) {
        return length + 3 & -4;
    }

    @Override
    public final void weightedSum(int rows, float[] p, float[] y, int at) {
        throw new UnsupportedOperationException("Caches are not in blocks");
    }

    @Override
    public final void matmul(int from, int to, float[][] x, float[][] y, int at) {
        Scales scales = new Scales(2 * TURN, columns / grouped(), columns / GROUP);
        float[] lanes = new float[2 * LANES];
        int half = (to - from + 1) / 2;
        for (int first = from; first < from + half; first += TURN) {
            turn(first, Math.min(first + TURN, from + half), half, to - 1, x, y, at, scales, lanes);
        }
    }

    /** Rows first .. last - 1, and as many that are {@code half} further on. The last row of an odd number is computed twice. */
    private void turn(int first, int last, int half, int end, float[][] x, float[][] y, int at, Scales scales, float[] lanes) {
        for (int r = first; r < last; r++) {
            read(blocks.bytes(), (int) blocks.rowOffset(r), scales, 2 * (r - first));
            read(blocks.bytes(), (int) blocks.rowOffset(Math.min(r + half, end)), scales, 2 * (r - first) + 1);
        }
        convert(scales);
        for (int s = 0; s < x.length; s++) {
            for (int r = first; r < last; r++) {
                int other = Math.min(r + half, end);
                twoRows(memory, (int) blocks.rowOffset(r), (int) blocks.rowOffset(other), x[s], scales, 2 * (r - first), lanes);
                y[s][at + r] = Lanes.sum(lanes, 0);
                y[s][at + other] = Lanes.sum(lanes, LANES);
            }
        }
    }

    /** The vector of sums of {@code m (sum x)}. */
    static FloatVector minima(Scales scales, int row, float[] x, int columns) {
        float[] m = scales.m;
        int first = row * scales.sums;
        FloatVector sum = FloatVector.zero(F);
        int sums = sumsAt(columns);
        for (int g = 0; g < columns / GROUP; g += LANES) {
            sum = FloatVector.fromArray(F, m, first + g).fma(FloatVector.fromArray(F, x, sums + g), sum);
        }
        return sum;
    }

}
