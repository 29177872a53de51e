package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.rows.Crew;
import io.github.bts4j.core.rows.RowCache;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.rows.RowStep;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.TensorList;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.TorchType;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntFunction;

/** Passes through all streams without gradients, with the stitch weights that are given. */
final class StitchedForward {
    private static final Kernels KERNELS = StitchedModel.KERNELS;

    private final Streams streams;
    private final StitchConfig config;
    private final StitchWeights.Arguments weights;
    private final Function<RowDecoder, StitchRows> rows;

    StitchedForward(Streams streams, StitchConfig config, StitchWeights.Arguments weights, Function<RowDecoder, StitchRows> rows) {
        this.streams = streams;
        this.config = config;
        this.weights = weights;
        this.rows = rows;
    }

    Streams streams() {
        return streams;
    }

    private Object[] arguments(NDArray ids, Streams.Ropes ropes, Object... rest) {
        Object[] stitches = {config.kernelPlaces(), config.kernelKinds(), weights.gates().list(), weights.biases().list(), weights.projs().list()};
        Object[] all = new Object[stitches.length + rest.length];
        System.arraycopy(stitches, 0, all, 0, stitches.length);
        System.arraycopy(rest, 0, all, stitches.length, rest.length);
        return streams.arguments(ids, ropes, all);
    }

    /** ids: int64 {@code [batch, sequence]}; the hub's state after its final norm, {@code [batch, sequence, hidden]}. */
    NDArray hidden(NDManager scope, NDArray ids, Optional<PrefixCache> cache) {
        try (Streams.Ropes ropes = streams.ropes(0, Math.toIntExact(ids.getShape().get(1)));
                Prefix prefix = new Prefix.Pass(scope, streams, ropes, config, ids).run(cache, Optional.empty())) {
            return KERNELS.tensor(scope, Autograd.OFF, "suffix", streams.arguments(prefix.streams(), ropes, prefix.hub(), config.kernelPlaces(),
                    config.kernelKinds(), weights.gates().list(), weights.biases().list(), weights.projs().list(), 0.0, 0));
        }
    }

    /** float32 {@code [batch, sequence, vocabulary]}, which belong to the manager of the ids. */
    NDArray logits(NDManager manager, NDArray tokenIds) {
        LlamaModel hub = streams.models().get(0);
        try (NDManager scope = manager.newSubManager()) {
            NDArray ids = Tensors.place(scope, TokenBatch.checked(tokenIds, hub.vocabSize()), TorchType.INT64, manager.getDevice());
            return KERNELS.tensor(tokenIds.getManager(), Autograd.OFF, "stitched_logits", hidden(scope, ids, Optional.empty()), hub.decoder().head(scope));
        }
    }

    /** Next-token losses, float32 {@code [batch * (sequence - 1)]}. */
    NDArray losses(NDManager step, int[][] tokens, Optional<PrefixCache> cache) {
        LlamaModel hub = streams.models().get(0);
        int width = TokenBatch.width(tokens);
        NDArray ids = TokenBatch.tensor(step, tokens, 0, width - 1, hub.vocabSize());
        NDArray labels = TokenBatch.tensor(step, tokens, 1, width, hub.vocabSize());
        return KERNELS.tensor(step, Autograd.OFF, "token_loss", hidden(step, ids, cache), hub.decoder().head(step), labels, LlamaModel.lossChunk(hub.vocabSize()));
    }

    /** ids: int64 {@code [1, new tokens]} of a session that holds {@code start} tokens; float32 {@code [1, vocabulary]}. */
    NDArray decode(NDManager step, NDArray ids, TensorList keys, TensorList values, int start) {
        try (Streams.Ropes ropes = streams.ropes(start, (int) ids.getShape().get(1))) {
            return KERNELS.tensor(step, Autograd.INFERENCE, "stitched_decode", arguments(ids, ropes, keys, values, start));
        }
    }

    /** ids: int64 {@code [1, sessions]}, the next token of each; float32 {@code [sessions, vocabulary]}. */
    NDArray decodeEach(NDManager step, NDArray ids, TensorList keys, TensorList values, long[] starts) {
        try (Streams.Ropes ropes = streams.nextRopes(starts)) {
            return KERNELS.tensor(step, Autograd.INFERENCE, "stitched_decode_sessions", arguments(ids, ropes, keys, values, starts));
        }
    }

    /**
     * The same outside of libtorch.
     *
     * @param tokenIds the next token of each session
     * @param caches of every stream, those of the sessions
     * @param starts the number of tokens in each session's caches
     * @return logits {@code [sessions][vocabulary]}; empty where a model cannot be computed so, or libtorch is faster
     */
    Optional<float[][]> decodeRows(int[] tokenIds, List<RowCache[]> caches, int[] starts) {
        return streams.rows().filter(decoders -> decoders.stream().allMatch(decoder -> decoder.isFasterFor(tokenIds.length)))
                .map(decoders -> decodeRows(decoders, i -> RowStep.ofSessions(decoders.get(i).embed(tokenIds), starts, caches.get(i))));
    }

    /**
     * New tokens of one session, outside of libtorch.
     *
     * @param tokenIds the tokens
     * @param caches of every stream
     * @param start the number of tokens in the caches
     * @return logits {@code [vocabulary]} of the last token; empty where a model cannot be computed so, or libtorch is faster
     */
    Optional<float[]> decodePrompt(int[] tokenIds, List<RowCache> caches, int start) {
        return streams.rows().filter(decoders -> decoders.stream().allMatch(decoder -> decoder.isFasterForPrompt(tokenIds.length)))
                .map(decoders -> decodeRows(decoders, i -> RowStep.ofPrompt(decoders.get(i).embed(tokenIds), start, caches.get(i)))[0]);
    }

    private float[][] decodeRows(List<RowDecoder> decoders, IntFunction<RowStep> tokens) {
        int n = decoders.size();
        RowDecoder hub = decoders.get(0);
        StitchRows stitches = rows.apply(hub);
        float[][][] h = new float[n][][]; // [streams][tokens][hidden]
        RowStep[] steps = new RowStep[n];
        RowDecoder.Shared[] shared = new RowDecoder.Shared[n];
        for (int i = 0; i < n; i++) {
            steps[i] = tokens.apply(i);
            h[i] = steps[i].state();
            shared[i] = decoders.get(i).shared(steps[i]);
        }
        float[][] logits = hub.newLogits(steps[0]);
        Crew.shared().run(streams.pace(), h[0].length, part -> {
            int first = 0;
            for (int j = 0; j < config.numStitches(); j++) {
                for (int i = 0; i < n; i++) {
                    decoders.get(i).layers(part, steps[i], shared[i], first, config.places().get(j));
                }
                stitches.stitch(part, j, h);
                first = config.places().get(j);
            }
            hub.logits(part, steps[0], logits);
        });
        return logits;
    }

    /** [logits], then for every wanted stitch its gates and states, see {@link GateTrace}; results belong to {@code owner}. */
    List<NDArray> trace(NDManager owner, NDArray ids, long[] wanted) {
        try (Streams.Ropes ropes = streams.ropes(0, Math.toIntExact(ids.getShape().get(1)))) {
            return KERNELS.tensors(owner, Autograd.OFF, "stitched_trace", arguments(ids, ropes, (Object) wanted));
        }
    }

    /** ids: int64 {@code [batch, sequence]}; float32 {@code [stitches]}, see {@link GateInput}. */
    NDArray gateInputs(NDManager owner, NDArray ids) {
        try (Streams.Ropes ropes = streams.ropes(0, Math.toIntExact(ids.getShape().get(1)))) {
            return KERNELS.tensor(owner, Autograd.OFF, "gate_inputs", arguments(ids, ropes));
        }
    }
}
