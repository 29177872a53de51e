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

/**
 * A prompt's step in libtorch, in blocks, that can be interrupted after each layer of each stream. All blocks go through a layer before the next one; the operations on each
 * are those of a whole step, and so are the bits of the result.
 */
final class TorchPass implements DecodePass {
    /** Names the milliseconds that a part takes, and at most one layer of one stream longer. */
    private static final String PROPERTY = "bts4j.promptPartMillis";
    private static final long MILLIS = 50;

    private final DecoderKernels kernels;
    private final List<Decoder> streams;
    private final TorchEngine.Kernel kernel;
    private final List<DecodeBatch<KvCaches>> blocks;
    private final long[] joints;
    private final NDManager step;
    private final Ropes ropes;
    private final TorchEngine.Caches caches;
    private final List<List<NDArray>> states = new ArrayList<>(); // of each stream, for each block [1, tokens, hidden]
    private final List<List<NDArray>> gates = new ArrayList<>(); // of each block
    private int joint;
    private int stream;
    private long layer;
    private float[][] logits = {};

    TorchPass(DecoderKernels kernels, List<Decoder> streams, TorchEngine.Kernel kernel, List<DecodeBatch<KvCaches>> blocks) {
        this.kernels = kernels;
        this.streams = streams;
        this.kernel = kernel;
        this.blocks = blocks;
        this.joints = kernel.joints();
        this.step = Torch.manager().newSubManager(streams.get(0).device());
        this.ropes = Ropes.of(streams, blocks.get(0).positions()[0], blocks.stream().mapToInt(DecodeBatch::size).sum());
        this.caches = TorchEngine.Caches.of(blocks.get(0));
        blocks.forEach(block -> gates.add(new ArrayList<>()));
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
            List<NDArray> ids = blocks.stream().map(block -> TorchEngine.ids(step, block, streams.get(0))).toList();
            streams.forEach(each -> states.add(ids.stream().map(id -> kernels.embed(step, Autograd.INFERENCE, id, each.weights())).toList()));
        } else if (stream < streams.size()) {
            List<NDArray> before = states.get(stream);
            states.set(stream, kernels.decodeBlocks(step, Autograd.INFERENCE, before, streams.get(stream).weights(), ropes.tensors(), ropes.rows(), caches.keys(), caches.values(), stream,
                    caches.starts()[0], layer, layer + 1));
            before.forEach(NDArray::close);
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
        List<List<NDArray>> after = new ArrayList<>();
        for (int i = 0; i < blocks.size(); i++) {
            after.add(joined(i));
        }
        for (int i = 0; i < streams.size(); i++) {
            int each = i;
            states.set(i, after.stream().map(block -> block.get(each)).toList());
        }
        stream = 0;
        layer = joints[joint];
        joint++;
    }

    /** The states of all streams after the joint, for one block. */
    private List<NDArray> joined(int block) {
        List<NDArray> before = states.stream().map(each -> each.get(block)).toList();
        if (blocks.get(block).wantsGates()) {
            gates.get(block).addAll(kernel.gates(step, before, joint));
        }
        List<NDArray> after = kernel.joined(step, before, joint);
        if (after != before) {
            before.forEach(NDArray::close);
        }
        return after;
    }

    private void finish() {
        int last = blocks.size() - 1;
        if (blocks.get(last).wantsLogits()) {
            NDArray found = kernels.decodeLogits(step, Autograd.INFERENCE, states.get(0).get(last), streams.get(0).weights(), 1);
            logits = TokenBatch.rows(found.toFloatArray(), 1);
        }
        for (int i = 0; i <= last; i++) {
            if (blocks.get(i).wantsGates()) {
                blocks.get(i).deliver(TorchEngine.weights(gates.get(i), blocks.get(i).size()));
            }
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
