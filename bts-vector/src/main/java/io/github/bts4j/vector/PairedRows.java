package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;

/**
 * Rows that are read where they are, where little is to do for a value: two at a time share the loads of x, for memory is read ahead along two streams that are far apart. Every
 * sum goes through one chain, whatever computes it.
 */
abstract class PairedRows extends BlockRows {
    /** What {@link Memory.Bytes} reads from. */
    PairedRows(Blocks blocks) {
        super(blocks);
    }

    /** The vectors of sums of {@code s q x + m x} of two rows, one behind the other. */
    abstract void twoRows(Object memory, int offset, int other, float[] x, float[] lanes);

    @Override
    public void matmul(int from, int to, float[][] x, float[][] y, int at) {
        float[] lanes = new float[2 * LANES];
        int half = (to - from + 1) / 2;
        for (int r = from; r < from + half; r++) {
            int other = Math.min(r + half, to - 1); // the last row of an odd number is computed twice
            for (int s = 0; s < x.length; s++) {
                twoRows(memory, (int) blocks.rowOffset(r), (int) blocks.rowOffset(other), x[s], lanes);
                y[s][at + r] = Lanes.sum(lanes, 0);
                y[s][at + other] = Lanes.sum(lanes, LANES);
            }
        }
    }
}
