package io.github.bts4j.stitch.baseline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.AbstractSession;
import io.github.bts4j.core.llama.KvCache;
import io.github.bts4j.core.llama.RopeRows;
import io.github.bts4j.core.torch.TensorList;
import java.util.List;

/** A session of an upcycled mixture. */
final class UpcycledSession extends AbstractSession {
    private final UpcycledWeights weights;
    private final List<KvCache> caches;
    private final TensorList keys;
    private final TensorList values;

    UpcycledSession(UpcycledModel model, UpcycledWeights weights, int capacity) {
        super(model, model.lifetime(), model.getNDManager(), capacity);
        this.weights = weights;
        this.caches = weights.caches(model.device(), capacity);
        this.keys = TensorList.ofLists(caches.stream().map(KvCache::keys).toList());
        this.values = TensorList.ofLists(caches.stream().map(KvCache::values).toList());
    }

    @Override
    protected NDArray decode(NDManager step, NDArray ids, int start) {
        try (RopeRows rope = weights.rope(start, (int) ids.getShape().get(1))) {
            return weights.decode(step, ids, rope, keys, values, start);
        }
    }

    @Override
    protected void release() {
        keys.close();
        values.close();
        caches.forEach(KvCache::close);
    }
}
