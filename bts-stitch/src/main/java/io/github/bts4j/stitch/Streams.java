package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.DecodeEngine;
import io.github.bts4j.core.rows.ParallelismTuner;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.rows.RowEngine;
import io.github.bts4j.core.torch.LlamaWeights;
import io.github.bts4j.core.torch.TorchList;
import io.github.bts4j.core.torch.llama.Decoder;
import io.github.bts4j.core.torch.llama.KvCaches;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.Ropes;
import io.github.bts4j.core.torch.llama.TorchEngine;
import java.util.List;
import java.util.function.Function;

/** The frozen models, hub first, as arguments of one kernel call. */
final class Streams implements AutoCloseable {
    private final List<LlamaModel> models;
    private final List<Decoder> decoders;
    private final TorchList<LlamaWeights> weights;
    private final ParallelismTuner tuner = new ParallelismTuner();
    private JointWeights joint;

    Streams(List<LlamaModel> models) {
        this.models = List.copyOf(models);
        decoders = models.stream().map(LlamaModel::decoder).toList();
        weights = TorchList.of(decoders.stream().map(Decoder::weights).toList());
    }

    List<LlamaModel> models() {
        return models;
    }

    TorchList<LlamaWeights> weights() {
        return weights;
    }

    /**
     * What goes through the layers together in a step.
     *
     * @param weights of these models
     * @param models their numbers, the hub's first
     */
    record Together(LlamaWeights weights, long... models) {}

    /** The hub and its adapters, in a step of one token of each session; otherwise the hub alone. Their weights are copied at the first such step, while the models are held. */
    synchronized Together together(NDArray ids, int sessions) {
        if (ids.getShape().get(1) != sessions) {
            return new Together(decoders.get(0).weights(), 0);
        }
        if (joint == null) {
            joint = new JointWeights(models);
        }
        return new Together(joint.weights(), joint.together());
    }

    /** The engines that decode all models together. */
    List<DecodeEngine<KvCaches>> engines(TorchEngine.Kernel kernel, Function<List<RowDecoder>, RowEngine.Layers> layers) {
        return TorchEngine.orRows(decoders, kernel, tuner, layers);
    }

    /** Empty caches for a session. */
    KvCaches newCaches(int capacity) {
        models.forEach(LlamaModel::requireFilesInPlace);
        return KvCaches.of(decoders, capacity);
    }

    Ropes ropes(int start, int length) {
        return Ropes.of(decoders, start, length);
    }

    @Override
    public synchronized void close() {
        weights.close();
        if (joint != null) {
            joint.close();
        }
    }
}
