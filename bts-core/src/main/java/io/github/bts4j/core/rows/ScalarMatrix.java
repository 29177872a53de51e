package io.github.bts4j.core.rows;

/** A matrix as plain loops multiply it: each row is read into float32, and its sums are taken in double precision. */
final class ScalarMatrix extends Matrix {
    ScalarMatrix(StoredRows stored) {
        super(stored);
    }

    @Override
    public Matrix from(int row) {
        return new ScalarMatrix(stored().from(row));
    }

    @Override
    public Matrix repacked(int rows) {
        return this;
    }

    @Override
    public void matmul(int from, int to, float[][] x, float[][] y, int at) {
        float[] w = new float[columns()];
        for (int r = from; r < to; r++) {
            stored().read(r, w);
            for (int s = 0; s < x.length; s++) {
                double sum = 0;
                for (int c = 0; c < w.length; c++) {
                    sum += (double) w[c] * x[s][c];
                }
                y[s][at + r] = (float) sum;
            }
        }
    }

    @Override
    public void weightedSum(int rows, float[] p, float[] y, int at) {
        float[] w = new float[columns()];
        double[] sums = new double[columns()];
        for (int r = 0; r < rows; r++) {
            stored().read(r, w);
            for (int c = 0; c < w.length; c++) {
                sums[c] += (double) p[r] * w[c];
            }
        }
        for (int c = 0; c < sums.length; c++) {
            y[at + c] = (float) sums[c];
        }
    }
}
