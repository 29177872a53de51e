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

    /** Computes the factors and summands of row 0 or 1, where a block has those of several groups. */
    void scales(ByteBuffer bytes, int offset, Scales scales, int row) {
        // computed with the products
    }

    /** The vectors of sums of {@code s q x + m x} of two rows, one behind the other. */
    abstract void twoRows(Object memory, int offset, int other, float[] x, Scales scales, float[] lanes);

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

    static int sumsAt(int length) {
        return length + 3 & -4;
    }

    @Override
    public final void weightedSum(int rows, float[] p, float[] y, int at) {
        throw new UnsupportedOperationException("Caches are not in blocks");
    }

    @Override
    public final void matmul(int from, int to, float[][] x, float[][] y, int at) {
        Scales scales = new Scales(columns / grouped(), columns / GROUP);
        float[] lanes = new float[2 * LANES];
        int half = (to - from + 1) / 2;
        for (int r = from; r < from + half; r++) {
            int other = Math.min(r + half, to - 1); // the last row of an odd number is computed twice
            int a = (int) blocks.rowOffset(r);
            int b = (int) blocks.rowOffset(other);
            scales(blocks.bytes(), a, scales, 0);
            scales(blocks.bytes(), b, scales, 1);
            for (int s = 0; s < x.length; s++) {
                twoRows(memory, a, b, x[s], scales, lanes);
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
