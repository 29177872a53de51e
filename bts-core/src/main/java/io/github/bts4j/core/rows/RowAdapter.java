package io.github.bts4j.core.rows;

/**
 * What an adapter adds to a product, {@code y = f (w x + b (a x))}; nothing in between is rounded.
 *
 * @param a {@code [r, in]} where its tensor is: r rows fill no panels
 * @param rank r
 * @param b {@code [out, r]} with the adapter's scale in it, repacked
 * @param factor of DoRA, {@code f [out]}; empty where f is one
 */
public record RowAdapter(Matrix a, int rank, Matrix b, float... factor) {
    /** Adds rows from .. to - 1 for a few vectors, packed for a. Every worker computes all of {@code a x}, which takes less time than to wait for another's. */
    void addTo(int from, int to, float[][] x, float[][] y) {
        float[][] low = new float[x.length][Matrix.room(rank)];
        a.matmul(0, rank, x, low, 0);
        float[][] sum = new float[x.length][to - from];
        b.matmul(from, to, b.packed(low), sum, -from);
        for (int s = 0; s < y.length; s++) {
            for (int i = from; i < to; i++) {
                y[s][i] += sum[s][i - from];
            }
            if (factor.length > 0) {
                for (int i = from; i < to; i++) {
                    y[s][i] *= factor[i];
                }
            }
        }
    }

    long bytes(int rows) {
        return (long) rank * (a.columns() + rows) * a.elements().type().bytes();
    }
}
