package io.github.bts4j.stitch;

import io.github.bts4j.core.DecodeEngine;
import io.github.bts4j.core.llama.Decoder;
import io.github.bts4j.core.llama.KvCaches;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.llama.Ropes;
import io.github.bts4j.core.llama.TorchEngine;
import io.github.bts4j.core.rows.ParallelismTuner;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.rows.RowEngine;
import io.github.bts4j.core.torch.TensorList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/** The frozen models, hub first, as arguments of one kernel call. */
final class Streams implements AutoCloseable {
    private final List<LlamaModel> models;
    private final List<Decoder> decoders;
    private final TensorList weights;
    private final TensorList biases;
    private final long[] dims;
    private final double[] eps;
    private final ParallelismTuner tuner = new ParallelismTuner();

    Streams(List<LlamaModel> models) {
        this.models = List.copyOf(models);
        decoders = models.stream().map(LlamaModel::decoder).toList();
        weights = TensorList.ofLists(decoders.stream().map(Decoder::weights).toList());
        biases = TensorList.ofLists(decoders.stream().map(Decoder::biases).toList());
        dims = decoders.stream().flatMapToLong(decoder -> Arrays.stream(decoder.dims())).toArray();
        eps = decoders.stream().mapToDouble(decoder -> decoder.config().rmsNormEps()).toArray();
    }

    List<LlamaModel> models() {
        return models;
    }

    TensorList weights() {
        return weights;
    }

    TensorList biases() {
        return biases;
    }

    long[] dims() {
        return dims;
    }

    double[] eps() {
        return eps;
    }

    /** What decodes all models together. */
    List<DecodeEngine<KvCaches>> engines(TorchEngine.Kernel kernel, Function<List<RowDecoder>, RowEngine.Layers> layers) {
        return TorchEngine.orRows(decoders, kernel, tuner, layers);
    }

    /** Decodes all models together in libtorch. */
    List<DecodeEngine<KvCaches>> engine(TorchEngine.Kernel kernel) {
        return List.of(TorchEngine.of(decoders, kernel));
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
    public void close() {
        weights.close();
        biases.close();
    }

    /** Call arguments in the kernels' order: those of the frozen streams, then the rest. */
    Object[] arguments(Object first, Ropes ropes, Object... rest) {
        List<Object> all = new ArrayList<>(List.of(first, weights, biases, dims, eps, ropes.tensors(), ropes.rows()));
        all.addAll(List.of(rest));
        return all.toArray();
    }
}
