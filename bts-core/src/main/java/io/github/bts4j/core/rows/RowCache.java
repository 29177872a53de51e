package io.github.bts4j.core.rows;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;

/**
 * The KV cache of one stream as matrices: for every layer and head, keys and values {@code [capacity, head_dim]} in the tensors' own memory.
 *
 * @param keys by layer and head
 * @param values by layer and head
 */
public record RowCache(List<Matrix[]> keys, List<Matrix[]> values) {
    /**
     * The matrices of a cache.
     *
     * @param math what will compute with them
     * @param keys one tensor {@code [1, kv_heads, capacity, head_dim]} per layer
     * @param values the same
     * @return the cache, valid while the tensors live
     */
    public static RowCache of(Arithmetic math, List<NDArray> keys, List<NDArray> values) {
        return new RowCache(heads(math, keys), heads(math, values));
    }

    private static List<Matrix[]> heads(Arithmetic math, List<NDArray> tensors) {
        List<Matrix[]> layers = new ArrayList<>();
        for (NDArray tensor : tensors) {
            Matrix all = math.matrix(Elements.of(tensor));
            int capacity = Math.toIntExact(tensor.getShape().get(2));
            Matrix[] heads = new Matrix[Math.toIntExact(tensor.getShape().get(1))];
            for (int head = 0; head < heads.length; head++) {
                heads[head] = all.from(head * capacity);
            }
            layers.add(heads);
        }
        return layers;
    }
}
