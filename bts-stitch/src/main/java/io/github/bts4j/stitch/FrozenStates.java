package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.llama.Ropes;
import java.util.List;

/**
 * States that do not depend on trained weights, {@code [batch, sequence, hidden]} each.
 *
 * @param streams every stream before the first stitch
 * @param hub the hub before the second stitch, the third, .., up to {@link StitchConfig#frozenLayers}; or empty, if they are computed later
 */
record FrozenStates(List<NDArray> streams, List<NDArray> hub) implements AutoCloseable {
    /**
     * The part of a pass below trained weights.
     *
     * @param scope owner of the states
     * @param streams the frozen models
     * @param ropes their rotary tables
     * @param config the layout of the stitches
     * @param ids int64 {@code [batch, sequence]}
     */
    record Pass(NDManager scope, Streams streams, Ropes ropes, StitchConfig config, NDArray ids) {
        /** Reads the states from the cache, or computes them. */
        FrozenStates run(PassOptions options, Attention attention) {
            return options.frozenStateCache().isPresent() ? options.frozenStateCache().get().states(this, attention)
                    : new FrozenStates(StitchedModel.KERNELS.prefix(scope, Autograd.OFF, ids, streams.weights(), ropes.tensors(), ropes.rows(), config.kernelLayers()), List.of());
        }

        /** The frozen states of stream i. */
        List<NDArray> stream(int i) {
            long[] layers = config.cachedLayers(i).stream().mapToLong(Integer::longValue).toArray();
            return StitchedModel.KERNELS.streamPrefix(scope, Autograd.OFF, ids, streams.weights(), ropes.tensors(), ropes.rows(), i, layers);
        }
    }

    @Override
    public void close() {
        streams.forEach(NDArray::close);
        hub.forEach(NDArray::close);
    }
}
