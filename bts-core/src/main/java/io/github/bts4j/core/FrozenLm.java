package io.github.bts4j.core;

import ai.djl.BaseModel;
import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.translate.Translator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * A loaded language model that is also an {@link ai.djl.Model}: its block maps token ids to logits, and {@code newPredictor}
 * accepts it. What would change the frozen weights through DJL ({@code newTrainer}, {@code setBlock}, {@code cast}) is refused.
 *
 * <p>Thread-safe for reading. Whoever loads it closes it.
 */
public abstract class FrozenLm extends BaseModel implements CausalLm {
    /**
     * Makes a model whose tensors belong to the given manager.
     *
     * @param name the model's name
     * @param manager owner of the model's tensors, closed with the model
     */
    @SuppressWarnings("this-escape") // the block keeps the reference and calls nothing yet
    protected FrozenLm(String name, NDManager manager) {
        super(name);
        this.manager = manager;
        this.dataType = DataType.FLOAT32;
        this.wasLoaded = true;
        this.block = new LogitsBlock(this);
    }

    @Override
    public Device device() {
        return manager.getDevice();
    }

    /**
     * A predictor of this model, which thereby works like any other model of DJL's.
     *
     * @param translator what makes inputs and outputs; a {@link PredictorSource} brings its own predictor
     * @param device where the inputs go
     * @return a new predictor for one thread, which the caller closes
     */
    @Override
    @SuppressWarnings("unchecked") // a PredictorSource<I, O> that is a Translator<P, Q> has P = I and Q = O
    public <I, O> Predictor<I, O> newPredictor(Translator<I, O> translator, Device device) {
        if (translator instanceof PredictorSource<?, ?> source) {
            return (Predictor<I, O>) source.newPredictor(this, device);
        }
        return super.newPredictor(translator, device);
    }

    @Override
    public float[][] tokenLosses(int[][] tokens) {
        try (NDManager step = manager.newSubManager();
                NDArray losses = tokenLosses(step, tokens)) {
            return TokenBatch.rows(losses.toFloatArray(), tokens.length);
        }
    }

    /**
     * Next-token losses of a batch as one tensor.
     *
     * @param step owner of the result and of everything in between
     * @param tokens token ids {@code [batch][sequence]}
     * @return float32 losses in nats, {@code [batch * (sequence - 1)]}
     */
    protected abstract NDArray tokenLosses(NDManager step, int[][] tokens);

    /**
     * Checks the capacity of a session.
     *
     * @param capacity tokens
     * @throws IllegalArgumentException if it is below 1 or above the context length
     */
    protected void checkCapacity(int capacity) {
        if (capacity < 1 || capacity > contextLength()) {
            throw new IllegalArgumentException("capacity = " + capacity + " is outside 1 .. " + contextLength()
                    + " (the context length): shorten the prompt or ask for fewer new tokens");
        }
    }

    /**
     * Always refuses: this model is loaded by its own factory method.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    public void load(Path modelPath, String prefix, Map<String, ?> options) throws IOException {
        throw new UnsupportedOperationException("This model is loaded already; load another with its static load method");
    }

    /**
     * Always refuses: DJL's parameter format knows neither bfloat16 nor tensors above 2 GiB.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    public void save(Path modelPath, String newModelName) throws IOException {
        throw new UnsupportedOperationException("Save through the checkpoint methods of " + getClass().getSimpleName() + ", as safetensors");
    }

    @Override
    public void setBlock(ai.djl.nn.Block newBlock) {
        throw new UnsupportedOperationException("The block of a frozen model cannot be exchanged");
    }
}
