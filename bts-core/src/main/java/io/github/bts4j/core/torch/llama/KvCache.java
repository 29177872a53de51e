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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The KV cache of one stream, allocated for a fixed capacity and written in place.
 *
 * <p>For one thread at a time.
 */
public final class KvCache implements AutoCloseable {
    private final TensorList keys;
    private final TensorList values;
    private final Optional<RowCache> rows;
    private final boolean causal;

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
    KvCache(Decoder decoder, ElementType type, int capacity) {
        LlamaConfig config = decoder.config();
        causal = !config.rope().isOwn(capacity);
        long[] shape = {1, config.numKvHeads(), capacity, config.headDim()}; // [batch, kv_heads, capacity, head_dim]
        try (NDManager scope = Torch.manager().newSubManager()) {
            List<NDArray> k = new ArrayList<>();
            List<NDArray> v = new ArrayList<>();
            for (int layer = 0; layer < config.numLayers(); layer++) {
                k.add(Tensors.zeros(scope, type, decoder.device(), shape));
                v.add(Tensors.zeros(scope, type, decoder.device(), shape));
            }
            keys = TensorList.of(k); // has its own references
            values = TensorList.of(v);
            rows = decoder.rows().map(rowDecoder -> RowCache.of(rowDecoder.math(), elements(k), elements(v), config.numKvHeads(), capacity));
        }
    }

    private static List<Elements> elements(List<NDArray> tensors) {
        return tensors.stream().map(Tensors::elements).toList();
    }

    /**
     * The keys, one tensor per layer.
     *
     * @return tensors {@code [1, kv_heads, capacity, head_dim]}
     */
    public TensorList keys() {
        return keys;
    }

    /**
     * The values, one tensor per layer.
     *
     * @return tensors {@code [1, kv_heads, capacity, head_dim]}
     */
    public TensorList values() {
        return values;
    }

    /**
     * The same memory as matrices.
     *
     * @return keys and values by layer and head, valid until this cache is closed; empty if it was created without arithmetic
     */
    public Optional<RowCache> rows() {
        return rows;
    }

    /** Whether no rotation depends on the length of the sequence, which the capacity limits. */
    boolean isCausal() {
        return causal;
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
