package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.FrozenLm;
import io.github.bts4j.core.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A stitched model with some experts switched off: their gates are closed by a bias of minus infinity, and the softmax renormalises over the rest, which is what
 * removing them computes. Nothing is copied. Closing it leaves the model open.
 */
final class StitchedView extends FrozenLm {
    private final StitchedModel model;
    private final StitchWeights.Argument biases;
    private StitchRows rows;

    StitchedView(StitchedModel model, List<Integer> off) {
        super("stitched", model.getNDManager().newSubManager());
        this.model = model;
        List<NDArray> closed = new ArrayList<>();
        for (StitchLayer layer : model.stitchLayers()) {
            int models = model.numExperts() + 1;
            float[] values = layer.gateBias().map(Tensors::toFloats).orElseGet(() -> new float[models * model.hiddenSize()]);
            for (int expert : off) {
                java.util.Arrays.fill(values, expert * model.hiddenSize(), (expert + 1) * model.hiddenSize(), Float.NEGATIVE_INFINITY);
            }
            try (NDArray master = Tensors.of(manager, values, models, model.hiddenSize())) {
                closed.add(Tensors.place(manager, master, model.type(), manager.getDevice()));
            }
        }
        this.biases = StitchWeights.Argument.of(closed);
    }

    StitchedForward pass() {
        return model.pass(biases, this::rows);
    }

    private synchronized StitchRows rows(Supplier<StitchRows> maker) {
        if (rows == null) {
            rows = maker.get();
        }
        return rows;
    }

    @Override
    public int vocabSize() {
        return model.vocabSize();
    }

    @Override
    public int contextLength() {
        return model.contextLength();
    }

    @Override
    public NDArray forward(NDArray tokenIds) {
        return pass().logits(manager, tokenIds, model.models().get(0));
    }

    @Override
    protected NDArray tokenLosses(NDManager step, int[][] tokens) {
        return pass().losses(step, tokens, model.models().get(0), Optional.empty());
    }

    @Override
    public DecodeSession newSession(int capacity) {
        checkCapacity(capacity);
        return new StitchedSession(this, this::pass, capacity);
    }

    @Override
    public float[][] appendEach(List<? extends DecodeSession> sessions, int[] tokenIds) {
        return StitchedSession.appendEach(this, pass(), sessions, tokenIds);
    }

    @Override
    public void close() {
        biases.close();
        super.close();
    }
}
