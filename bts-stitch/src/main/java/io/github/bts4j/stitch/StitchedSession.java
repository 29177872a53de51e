package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.AbstractSession;
import io.github.bts4j.core.llama.KvCache;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.torch.TensorList;
import java.util.List;

/** A session of a stitched model: one KV cache per stream, one kernel call per token. */
final class StitchedSession extends AbstractSession {
    private final StitchedModel model;
    private final List<KvCache> caches;
    private final TensorList keys;
    private final TensorList values;

    StitchedSession(StitchedModel model, List<LlamaModel> models, int capacity) {
        super(model, model.getNDManager(), capacity);
        this.model = model;
        this.caches = models.stream()
                .map(m -> new KvCache(m.getNDManager(), m.config(), m.type(), m.device(), capacity)).toList();
        this.keys = TensorList.ofLists(caches.stream().map(KvCache::keys).toList());
        this.values = TensorList.ofLists(caches.stream().map(KvCache::values).toList());
    }

    @Override
    protected NDArray decode(NDManager step, NDArray ids, int start) {
        return model.decode(step, ids, keys, values, start);
    }

    @Override
    protected void release() {
        keys.close();
        values.close();
        caches.forEach(KvCache::close);
    }
}
