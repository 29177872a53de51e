package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.llama.Decoder;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.llama.RopeRows;
import io.github.bts4j.core.rows.Pace;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.torch.TensorList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The frozen models, hub first, as arguments of one kernel call. */
final class Streams implements AutoCloseable {
    private final List<LlamaModel> models;
    private final List<Decoder> decoders;
    private final TensorList weights;
    private final TensorList biases;
    private final long[] dims;
    private final double[] eps;
    private final Pace pace = new Pace();

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

    /** The models as tokens go through them outside of libtorch; empty if one of them cannot. */
    Optional<List<RowDecoder>> rows() {
        List<RowDecoder> rows = decoders.stream().flatMap(decoder -> decoder.rows().stream()).toList();
        return rows.size() == decoders.size() ? Optional.of(rows) : Optional.empty();
    }

    /** What is known of steps through all models. */
    Pace pace() {
        return pace;
    }

    Ropes ropes(int start, int length) {
        return new Ropes(decoders.stream().map(decoder -> decoder.rope(start, length)).toList());
    }

    /** One token at each of several positions: stream 0 at every position, then stream 1 at every position, and so on. */
    Ropes nextRopes(long[] starts) {
        return new Ropes(decoders.stream().flatMap(decoder -> Arrays.stream(starts).mapToObj(start -> decoder.rope((int) start, 1))).toList());
    }

    /** The rotary tables of every stream for one call. */
    static final class Ropes implements AutoCloseable {
        private final List<RopeRows> parts;
        private final TensorList tensors;

        Ropes(List<RopeRows> parts) {
            this.parts = parts;
            this.tensors = TensorList.ofLists(parts.stream().map(RopeRows::tensors).toList());
        }

        TensorList tensors() {
            return tensors;
        }

        long[] rows() {
            return parts.stream().mapToLong(RopeRows::row).toArray();
        }

        /** The same with a restriction of attention in every stream; closed before this one. */
        Ropes masked(NDManager scope, NDArray mask) {
            return new Ropes(parts.stream().map(part -> part.masked(scope, mask)).toList());
        }

        @Override
        public void close() {
            tensors.close();
            parts.forEach(RopeRows::close);
        }
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
