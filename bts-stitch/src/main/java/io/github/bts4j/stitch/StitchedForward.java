package io.github.bts4j.stitch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.CachedSession;
import io.github.bts4j.core.DecodeEngine;
import io.github.bts4j.core.GatedCachedSession;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.NextTokenLoss;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.KvCaches;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.Ropes;
import io.github.bts4j.core.torch.llama.TorchEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** The forward pass through all streams without gradients, with given stitch weights. Thread-safe. */
final class StitchedForward {
    private static final StitchKernels KERNELS = StitchedModel.KERNELS;

    private final Streams streams;
    private final StitchConfig config;
    private final StitchWeights.Arguments weights;
    private final StitchedForward matrices; // whose matrices this shares
    private List<DecodeEngine<KvCaches>> engines;
    private StitchRows rows;

    StitchedForward(Streams streams, StitchConfig config, StitchWeights.Arguments weights) {
        this.streams = streams;
        this.config = config;
        this.weights = weights;
        this.matrices = this;
    }

    /** A copy with other gate biases. */
    StitchedForward(StitchedForward like, StitchWeights.Argument biases) {
        this.streams = like.streams;
        this.config = like.config;
        this.weights = new StitchWeights.Arguments(like.weights.gates(), biases, like.weights.projs());
        this.matrices = like.matrices;
    }

    Streams streams() {
        return streams;
    }

    /** ids: int64 {@code [batch, sequence]}; the hub's state after its final norm, {@code [batch, sequence, hidden]}. */
    NDArray hidden(NDManager scope, NDArray ids, PassOptions options) {
        try (Ropes ropes = streams.ropes(0, Math.toIntExact(ids.getShape().get(1)));
                FrozenStates frozen = new FrozenStates.Pass(scope, streams, ropes, config, ids).run(options, Attention.WHOLE)) {
            return KERNELS.suffix(scope, Autograd.OFF, frozen.streams(), streams.weights(), ropes.tensors(), ropes.rows(), frozen.hub(), config.kernelLayers(),
                    config.kernelKinds(), weights.gates().list(), weights.biases().list(), weights.projs().list(), 0, 0);
        }
    }

    /** The same, owned by the manager of the ids. */
    NDArray hidden(NDArray ids) {
        return hidden(ids.getManager(), ids, PassOptions.DEFAULT);
    }

    /** float32 {@code [batch, sequence, vocabulary]}, which belong to the manager of the ids. */
    NDArray logits(NDManager manager, NDArray tokenIds) {
        LlamaModel hub = streams.models().get(0);
        try (NDManager scope = manager.newSubManager()) {
            NDArray ids = Tensors.place(scope, TokenBatch.checked(tokenIds, hub.vocabSize()), ElementType.INT64, manager.getDevice());
            return KERNELS.stitchedLogits(tokenIds.getManager(), Autograd.OFF, hidden(scope, ids, PassOptions.DEFAULT), hub.decoder().head(scope));
        }
    }

    /** Next-token losses, float32 {@code [batch * (sequence - 1)]}. */
    NDArray losses(NDManager step, int[][] tokens, PassOptions options) {
        LlamaModel hub = streams.models().get(0);
        TokenBatch.NextTokens next = TokenBatch.nextTokens(step, tokens, hub.vocabSize());
        return NextTokenLoss.of(KERNELS, step, hidden(step, next.ids(), options), hub.decoder().head(step), next.labels());
    }

    /** The engines that decode with these weights; sessions with the same engines can be batched. */
    synchronized List<DecodeEngine<KvCaches>> engines() {
        if (engines == null) {
            engines = streams.engines(new Decoding(), decoders -> matrices.rows(decoders).withBiases(weights.biases().tensors()));
        }
        return engines;
    }

    /** A step in libtorch. */
    private final class Decoding implements TorchEngine.Kernel {
        @Override
        public NDArray logits(NDManager step, NDArray ids, Ropes ropes, TorchEngine.Caches caches) {
            Streams.Together rows = streams.together(ids, caches.starts().length);
            return KERNELS.stitchedDecode(step, Autograd.INFERENCE, ids, streams.weights(), rows.weights(), rows.models(), ropes.tensors(), ropes.rows(), config.kernelLayers(), config.kernelKinds(),
                    weights.gates().list(), weights.biases().list(), weights.projs().list(), caches.keys(), caches.values(), caches.starts());
        }

        @Override
        public List<NDArray> logitsAndGates(NDManager step, NDArray ids, Ropes ropes, TorchEngine.Caches caches) {
            Streams.Together rows = streams.together(ids, caches.starts().length);
            return KERNELS.stitchedDecodeGates(step, Autograd.INFERENCE, ids, streams.weights(), rows.weights(), rows.models(), ropes.tensors(), ropes.rows(), config.kernelLayers(),
                    config.kernelKinds(), weights.gates().list(), weights.biases().list(), weights.projs().list(), caches.keys(), caches.values(), caches.starts());
        }

        @Override
        public long[] joints() {
            return config.kernelLayers();
        }

        @Override
        public List<NDArray> joined(NDManager step, List<NDArray> states, int joint) {
            return KERNELS.stitch(step, Autograd.INFERENCE, states, weights.gates().list(), weights.biases().list(), weights.projs().list(), joint, config.kernelKinds()[joint], 0, 0);
        }

        @Override
        public List<NDArray> gates(NDManager step, List<NDArray> states, int joint) {
            return config.intoHub(joint) ? List.of(KERNELS.gateMeans(step, Autograd.INFERENCE, states.get(0), weights.gates().list(), weights.biases().list(), joint)) : List.of();
        }
    }

    /** The matrices for decoding in Java, packed once for all users. */
    private synchronized StitchRows rows(List<RowDecoder> decoders) {
        if (rows == null) {
            rows = StitchRows.of(decoders, config, weights);
        }
        return rows;
    }

    /** An empty session of a model that decodes with these weights. */
    CachedSession<KvCaches> openSession(FrozenLm model, Lifetime lifetime, int capacity) {
        return new CachedSession<>(model, lifetime, engines(), capacity, streams::newCaches);
    }

    /** An empty session that keeps the gate weights of its tokens. */
    GatedCachedSession<KvCaches> openSession(FrozenLm model, Lifetime lifetime, int capacity, StitchGates gates) {
        return new GatedCachedSession<>(model, lifetime, engines(), capacity, streams::newCaches, gates.none());
    }

    /** Logits, and traces of the requested stitch layers, see {@link StitchedModel#gates}. */
    List<GateTrace> gates(NDManager scope, NDArray tokenIds, int... wanted) {
        for (int j : wanted) {
            throwIf(j < 0 || j >= config.numStitches(),
                    () -> new IllegalArgumentException("stitch = " + j + " is outside 0 .. " + (config.numStitches() - 1)));
        }
        LlamaModel hub = streams.models().get(0);
        NDArray ids = Tensors.place(scope, TokenBatch.checked(tokenIds, hub.vocabSize()), ElementType.INT64, hub.device());
        List<NDArray> found = trace(tokenIds.getManager(), ids, IntStream.of(wanted).asLongStream().toArray());
        found.get(0).close(); // the logits
        List<GateTrace> traces = new ArrayList<>();
        int per = streams.models().size() + 1;
        for (int k = 0; k < wanted.length; k++) {
            traces.add(new GateTrace(wanted[k], found.get(1 + k * per), List.copyOf(found.subList(2 + k * per, 1 + (k + 1) * per))));
        }
        return traces;
    }

    /** [logits], then the gates and states of each requested stitch, see {@link GateTrace}; results belong to {@code owner}. */
    List<NDArray> trace(NDManager owner, NDArray ids, long[] wanted) {
        try (Ropes ropes = streams.ropes(0, Math.toIntExact(ids.getShape().get(1)))) {
            return KERNELS.stitchedTrace(owner, Autograd.OFF, ids, streams.weights(), ropes.tensors(), ropes.rows(), config.kernelLayers(), config.kernelKinds(),
                    weights.gates().list(), weights.biases().list(), weights.projs().list(), wanted);
        }
    }

    /** ids: int64 {@code [batch, sequence]}; float32 {@code [stitches]}, see {@link GateInput}. */
    NDArray gateInputs(NDManager owner, NDArray ids) {
        try (Ropes ropes = streams.ropes(0, Math.toIntExact(ids.getShape().get(1)))) {
            return KERNELS.gateInputs(owner, Autograd.OFF, ids, streams.weights(), ropes.tensors(), ropes.rows(), config.kernelLayers(), config.kernelKinds(),
                    weights.gates().list(), weights.biases().list(), weights.projs().list());
        }
    }
}
