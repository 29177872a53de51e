package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import io.github.bts4j.core.rows.Matrix;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Rows in ggml's blocks that are decoded one by one before they are multiplied: for processors whose vectors are not of 256 or 512 bits. */
final class DecodedRows extends Matrix {
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = F.length();

    private final Blocks blocks;

    DecodedRows(Blocks blocks) {
        super(blocks);
        this.blocks = blocks;
    }

    @Override
    public Matrix from(int row) {
        return new DecodedRows(blocks.from(row));
    }

    @Override
    public Matrix repacked(int rows) {
        return this;
    }

    @Override
    public void matmul(int from, int to, float[][] x, float[][] y, int at) {
        float[] row = new float[columns()];
        for (int r = from; r < to; r++) {
            blocks.read(r, row);
            for (int s = 0; s < x.length; s++) {
                y[s][at + r] = product(row, x[s]);
            }
        }
    }

    private static float product(float[] w, float[] x) {
        FloatVector sum = FloatVector.zero(F);
        int i = 0;
        for (; i + LANES <= w.length; i += LANES) {
            sum = FloatVector.fromArray(F, w, i).fma(FloatVector.fromArray(F, x, i), sum);
        }
        float rest = 0;
        for (; i < w.length; i++) {
            rest += w[i] * x[i];
        }
        return Lanes.sum(sum) + rest;
    }

    @Override
    public void weightedSum(int rows, float[] p, float[] y, int at) {
        throw new UnsupportedOperationException("Caches are not in blocks");
    }
}
