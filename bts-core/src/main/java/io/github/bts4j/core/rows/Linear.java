package io.github.bts4j.core.rows;

/**
 * A matrix product with its bias, {@code y = round(w x + b)}, whose rows workers share.
 *
 * @param weight {@code [out, in]}
 * @param rows out
 * @param bias {@code [out]}, or empty
 */
public record Linear(Matrix weight, int rows, float... bias) {
    /**
     * One worker's rows for a few vectors.
     *
     * @param share the worker's share
     * @param math the arithmetic
     * @param rounding how results are rounded
     * @param x packed vectors
     * @param y receives the rows {@code [vectors][out]}
     */
    public void run(WorkerTeam.Share share, Arithmetic math, Rounding rounding, float[][] x, float[][] y) {
        int from = share.fromRow(rows);
        int to = share.toRow(rows);
        sum(from, to, x, y);
        for (float[] row : y) {
            math.round(rounding, row, from, to);
        }
    }

    /** Rows from .. to - 1 of {@code w x + b}. */
    void sum(int from, int to, float[][] x, float[][] y) {
        weight.matmul(from, to, x, y, 0);
        if (bias.length > 0) {
            for (float[] row : y) {
                for (int i = from; i < to; i++) {
                    row[i] += bias[i];
                }
            }
        }
    }

    long bytes() {
        return (long) rows * weight.columns() * weight.elements().type().bytes();
    }

    /**
     * The same with a repacked matrix.
     *
     * @return the product
     */
    public Linear repacked() {
        return new Linear(weight.repacked(rows), rows, bias);
    }
}
