package io.github.bts4j.core.rows;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

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
     * @param math the arithmetic of their products
     * @param keys elements {@code [kv_heads * capacity, head_dim]} of each layer
     * @param values the same
     * @param heads the number of key and value heads
     * @param capacity tokens
     * @return the cache, valid while the elements are
     */
    public static RowCache of(Arithmetic math, List<Elements> keys, List<Elements> values, int heads, int capacity) {
        return new RowCache(heads(math, keys, heads, capacity), heads(math, values, heads, capacity));
    }

    private static List<Matrix[]> heads(Arithmetic math, List<Elements> elements, int heads, int capacity) {
        List<Matrix[]> layers = new ArrayList<>();
        for (Elements layer : elements) {
            Matrix all = math.matrix(layer);
            layers.add(IntStream.range(0, heads).mapToObj(head -> all.from(head * capacity)).toArray(Matrix[]::new));
        }
        return layers;
    }
}
