package io.github.bts4j.core.torch.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.rows.Elements;
import io.github.bts4j.core.rows.RowCache;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.TensorList;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The KV cache of one stream, allocated for a fixed capacity and written in place.
 *
 * <p>For one thread at a time.
 *
 * @param keys one tensor {@code [1, kv_heads, capacity, head_dim]} per layer
 * @param values one tensor {@code [1, kv_heads, capacity, head_dim]} per layer
 * @param rows the same memory as matrices by layer and head, valid until this cache is closed; empty if it was created without arithmetic
 * @param isCausal whether no rotation depends on the length of the sequence, which the capacity limits
 */
public record KvCache(TensorList keys, TensorList values, Optional<RowCache> rows, boolean isCausal) implements AutoCloseable {
    /** A copy of some tokens' keys and values, {@code [layers, 1, kv_heads, tokens, head_dim]} each. */
    static final class Copy implements AutoCloseable {
        private final NDManager owner;
        private final NDArray keys;
        private final NDArray values;
        private final long bytes;

        private Copy(TensorList keys, TensorList values, int from, int to) {
            owner = Torch.manager().newSubManager();
            try {
                this.keys = Decoder.CALLS.copyCache(owner, Autograd.OFF, keys, from, to);
                this.values = Decoder.CALLS.copyCache(owner, Autograd.OFF, values, from, to);
            } catch (RuntimeException | Error e) {
                owner.close();
                throw e;
            }
            bytes = 2 * this.keys.size() * Tensors.type(this.keys).bytes();
        }

        long bytes() {
            return bytes;
        }

        @Override
        public void close() {
            owner.close();
        }
    }

    /** Allocates the caches of all layers, also as matrices if there is arithmetic for them. */
    static KvCache of(Decoder decoder, ElementType type, int capacity) {
        LlamaConfig config = decoder.config();
        try (NDManager scope = Torch.manager().newSubManager()) {
            Supplier<List<NDArray>> layers = () -> Stream.generate(() -> Tensors.zeros(scope, type, decoder.device(), 1, config.numKvHeads(), capacity, config.headDim()))
                    .limit(config.numLayers()).toList();
            List<NDArray> k = layers.get();
            List<NDArray> v = layers.get();
            return new KvCache(TensorList.of(k), TensorList.of(v), // with their own references
                    decoder.rows().map(rows -> RowCache.of(rows.math(), elements(k), elements(v), config.numKvHeads(), capacity)),
                    !config.rope().isOwn(capacity));
        }
    }

    private static List<Elements> elements(List<NDArray> tensors) {
        return tensors.stream().map(Tensors::elements).toList();
    }

    Copy copy(int from, int to) {
        return new Copy(keys, values, from, to);
    }

    void restore(Copy copy, int from) {
        Decoder.CALLS.restoreCache(Autograd.OFF, keys, copy.keys, from);
        Decoder.CALLS.restoreCache(Autograd.OFF, values, copy.values, from);
    }

    @Override
    public void close() {
        keys.close();
        values.close();
    }
}
