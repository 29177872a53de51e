package io.github.bts4j.core.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.AbstractSession;
import io.github.bts4j.core.torch.Autograd;

/** A session of one Llama model. */
final class LlamaSession extends AbstractSession {
    private final Decoder decoder;
    private final KvCache cache;

    LlamaSession(LlamaModel model, Decoder decoder, int capacity) {
        super(model, model.getNDManager(), capacity);
        this.decoder = decoder;
        this.cache = new KvCache(model.getNDManager(), model.config(), model.type(), model.device(), capacity);
    }

    @Override
    protected NDArray decode(NDManager step, NDArray ids, int start) {
        try (RopeRows rope = decoder.rope(start, (int) ids.getShape().get(1))) {
            return Decoder.CALLS.tensor(step, Autograd.INFERENCE, "decode", ids, decoder.weights(), decoder.biases(), decoder.dims(),
                    decoder.config().rmsNormEps(), rope.tensors(), rope.row(), cache.keys(), cache.values(), start);
        }
    }

    @Override
    protected void release() {
        cache.close();
    }
}
