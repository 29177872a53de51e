package io.github.bts4j.core.rows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A matrix product with its bias, {@code y = round(w x + b)}, whose rows workers share.
 *
 * @param weight {@code [out, in]}
 * @param rows out
 * @param bias {@code [out]}, or empty
 * @param adapters the adapter of each stream, added to its product. The vectors are those of one stream after the other, equally many of each. Empty
 *     without adapters
 */
public record Linear(Matrix weight, int rows, float[] bias, List<Optional<RowAdapter>> adapters) {
    /**
     * Vectors in the orders that products read.
     *
     * @param forWeights packed for the matrices
     * @param forAdapters packed for the adapters' A; the same array beside matrices that are not repacked
     */
    record Packed(float[][] forWeights, float[][] forAdapters) {
        /** Packs vectors for products that read the same ones. */
        void pack(float[][] vectors, Linear... products) {
            products[0].weight.pack(vectors, forWeights);
            if (forAdapters != forWeights) {
                for (Linear product : products) {
                    for (Optional<RowAdapter> adapter : product.adapters) {
                        if (adapter.isPresent()) {
                            adapter.get().a().pack(vectors, forAdapters);
                            return;
                        }
                    }
                }
            }
        }
    }

    /**
     * A product without adapters.
     *
     * @param weight {@code [out, in]}
     * @param rows out
     * @param bias {@code [out]}, or empty
     */
    public Linear(Matrix weight, int rows, float... bias) {
        this(weight, rows, bias, List.of());
    }

    /**
     * The same product for several streams, each with its own adapters.
     *
     * @param streams products over the same matrix
     * @return one product
     */
    static Linear joint(List<Linear> streams) {
        Linear first = streams.get(0);
        List<Optional<RowAdapter>> all = new ArrayList<>();
        streams.forEach(stream -> all.add(stream.adapters.isEmpty() ? Optional.empty() : stream.adapters.get(0)));
        return new Linear(first.weight, first.rows, first.bias, List.copyOf(all));
    }

    /** Whether another product reads the same matrix, and adds the same bias. */
    boolean isOver(Linear other) {
        return weight == other.weight && Arrays.equals(bias, other.bias) && other.adapters.size() < 2 && adapters.size() < 2;
    }

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
        run(share, math, rounding, new Packed(x, x), y);
    }

    /** One worker's rows for a few vectors. */
    void run(WorkerTeam.Share share, Arithmetic math, Rounding rounding, Packed x, float[][] y) {
        int from = share.fromRow(rows);
        int to = share.toRow(rows);
        sum(from, to, x, y);
        for (float[] row : y) {
            math.round(rounding, row, from, to);
        }
    }

    /** Rows from .. to - 1 of {@code w x + b}. */
    void sum(int from, int to, Packed x, float[][] y) {
        weight.matmul(from, to, x.forWeights, y, 0);
        int each = adapters.isEmpty() ? 0 : y.length / adapters.size();
        for (int i = 0; i < adapters.size(); i++) {
            if (adapters.get(i).isPresent()) {
                adapters.get(i).get().addTo(from, to, Arrays.copyOfRange(x.forAdapters, i * each, (i + 1) * each), Arrays.copyOfRange(y, i * each, (i + 1) * each));
            }
        }
        if (bias.length > 0) {
            for (float[] row : y) {
                for (int i = from; i < to; i++) {
                    row[i] += bias[i];
                }
            }
        }
    }

    long bytes() {
        return matrixBytes() + adapters.stream().flatMap(Optional::stream).mapToLong(RowAdapter::bytes).sum();
    }

    long matrixBytes() {
        return rows * weight.stored().rowBytes();
    }

    /**
     * The same with a repacked matrix; adapters stay as they are.
     *
     * @return the product
     */
    public Linear repacked() {
        return new Linear(weight.repacked(rows), rows, bias, adapters);
    }
}
