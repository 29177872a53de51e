package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractSymbolBlock;
import ai.djl.nn.ParameterList;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.github.bts4j.core.CausalLm;

/** A model as a DJL block: int64 {@code [batch, sequence]} token ids in, float32 {@code [batch, sequence, vocabulary]} logits out. */
final class LogitsBlock extends AbstractSymbolBlock {
    private final CausalLm model;

    LogitsBlock(CausalLm model) {
        this.model = model;
    }

    @Override
    protected NDList forwardInternal(ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
        throwIf(training, () -> new UnsupportedOperationException("The model is frozen: train stitch layers or an expert with bts-train's Trainer"));
        NDArray ids = inputs.singletonOrThrow();
        return new NDList(model.forward(ids));
    }

    @Override
    public boolean isInitialized() {
        return true;
    }

    @Override
    public void removeLastBlock() {
        throw new UnsupportedOperationException("A language model's head cannot be removed; ask for its hidden states instead");
    }

    @Override
    public ParameterList getDirectParameters() {
        return new ParameterList();
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape ids = inputShapes[0];
        return new Shape[] {new Shape(ids.get(0), ids.get(1), model.vocabSize())};
    }

    @Override
    public PairList<String, Shape> describeInput() {
        PairList<String, Shape> input = new PairList<>();
        input.add("input_ids", new Shape(-1, -1));
        return input;
    }
}
