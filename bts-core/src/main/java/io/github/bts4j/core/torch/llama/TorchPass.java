package io.github.bts4j.core.torch.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeBatch;
import io.github.bts4j.core.DecodePass;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.DecoderKernels;
import io.github.bts4j.core.torch.Torch;
import java.util.ArrayList;
import java.util.List;

/** A prompt's step in libtorch that can be interrupted after each layer of each stream. The operations are those of a whole step, and so are the bits of the result. */
final class TorchPass implements DecodePass {
    /** Names the milliseconds that a part takes, and at most one layer of one stream longer. */
    private static final String PROPERTY = "bts4j.promptPartMillis";
    private static final long MILLIS = 50;

    private final DecoderKernels kernels;
    private final List<Decoder> streams;
    private final TorchEngine.Kernel kernel;
    private final DecodeBatch<KvCaches> batch;
    private final long[] joints;
    private final NDManager step;
    private final Ropes ropes;
    private final TorchEngine.Caches caches;
    private final List<NDArray> states = new ArrayList<>(); // of each stream, [1, tokens, hidden]
    private final List<NDArray> gates = new ArrayList<>();
    private int joint;
    private int stream;
    private long layer;
    private float[][] logits = {};

    TorchPass(DecoderKernels kernels, List<Decoder> streams, TorchEngine.Kernel kernel, DecodeBatch<KvCaches> batch) {
        this.kernels = kernels;
        this.streams = streams;
        this.kernel = kernel;
        this.batch = batch;
        this.joints = kernel.joints();
        this.step = Torch.manager().newSubManager(streams.get(0).device());
        this.ropes = Ropes.of(streams, batch);
        this.caches = TorchEngine.Caches.of(batch);
    }

    @Override
    public boolean advance() {
        long end = System.nanoTime() + 1_000_000 * Long.getLong(PROPERTY, MILLIS);
        do {
            if (joint == joints.length) {
                finish();
                return true;
            }
            next();
        } while (System.nanoTime() - end < 0);
        return false;
    }

    private void next() {
        if (states.isEmpty()) {
            NDArray ids = TorchEngine.ids(step, batch, streams.get(0));
            streams.forEach(each -> states.add(kernels.embed(step, Autograd.INFERENCE, ids, each.weights())));
        } else if (stream < streams.size()) {
            NDArray before = states.get(stream);
            states.set(stream, kernels.decodeLayers(step, Autograd.INFERENCE, before, streams.get(stream).weights(), ropes.tensors(), ropes.rows(), caches.keys(), caches.values(), stream,
                    caches.starts(), layer, layer + 1));
            before.close();
            layer++;
            if (layer == joints[joint]) {
                layer = joint == 0 ? 0 : joints[joint - 1];
                stream++;
            }
        } else {
            join();
        }
    }

    private void join() {
        if (batch.wantsGates()) {
            gates.addAll(kernel.gates(step, states, joint));
        }
        List<NDArray> after = kernel.joined(step, states, joint);
        if (after != states) {
            states.forEach(NDArray::close);
            states.clear();
            states.addAll(after);
        }
        stream = 0;
        layer = joints[joint];
        joint++;
    }

    private void finish() {
        if (batch.wantsLogits()) {
            NDArray last = kernels.decodeLogits(step, Autograd.INFERENCE, states.get(0), streams.get(0).weights(), 1);
            logits = TokenBatch.rows(last.toFloatArray(), 1);
        }
        if (batch.wantsGates()) {
            batch.deliver(TorchEngine.weights(gates, batch.size()));
        }
    }

    @Override
    public float[][] logits() {
        return logits;
    }

    @Override
    public void close() {
        caches.close();
        ropes.close();
        step.close();
    }
}
