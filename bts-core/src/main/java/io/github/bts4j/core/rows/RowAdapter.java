package io.github.bts4j.core.rows;

/**
 * What an adapter adds to a product, {@code y = f (w x + b (a x))}; nothing in between is rounded. Both matrices stay where their tensors are.
 *
 * @param a {@code [r, in]}
 * @param rank r
 * @param b the transposed matrix, {@code [r, out]}, with the adapter's scale in it
 * @param factor of DoRA, {@code f [out]}; empty where f is one
 */
public record RowAdapter(Matrix a, int rank, Matrix b, float... factor) {
    /** Adds rows from .. to - 1 for a few vectors, packed for a. Every worker computes all of {@code a x}, which takes less time than to wait for another's. */
    void addTo(int from, int to, float[][] x, float[][] y) {
        float[][] low = new float[x.length][rank];
        a.matmul(0, rank, x, low, 0);
        for (int s = 0; s < y.length; s++) {
            b.addWeightedSum(rank, low[s], from, to, y[s]);
            if (factor.length > 0) {
                for (int i = from; i < to; i++) {
                    y[s][i] *= factor[i];
                }
            }
        }
    }

    long bytes() {
        return (long) rank * (a.columns() + b.columns()) * a.elements().type().bytes();
    }
}
