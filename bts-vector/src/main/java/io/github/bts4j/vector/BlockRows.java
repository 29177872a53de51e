package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import io.github.bts4j.core.rows.Matrix;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows in ggml's blocks, read where they are. A value is {@code s q + m} with integers q; s and m are those of a group of values. So a row's product with x is
 * {@code sum_g s_g (sum q x) + sum_g m_g (sum x)}, in float32. Vectors are packed as they are, with the sums of 32 values each behind them.
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
}
