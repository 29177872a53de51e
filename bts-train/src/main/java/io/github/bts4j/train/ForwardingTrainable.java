package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.torch.llama.DocumentRows;
import java.util.Map;

/** A training that delegates to another one: a base for those that change only the tokens or losses of a pass. */
public abstract class ForwardingTrainable implements Trainable {
    private final Trainable inner;

    /**
     * Delegates to a training.
     *
     * @param inner the training, which is not closed
     */
    protected ForwardingTrainable(Trainable inner) {
        this.inner = inner;
    }

    @Override
    public long passBytes(int rows, int length) {
        return inner.passBytes(rows, length);
    }

    @Override
    public Map<String, NDArray> parameters() {
        return inner.parameters();
    }

    @Override
    public NDManager manager() {
        return inner.manager();
    }

    @Override
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
        return inner.accumulateGradients(tokens, tokenWeight, seed);
    }

    @Override
    public float[] accumulateGradients(DocumentRows rows, float tokenWeight, long seed) {
        return inner.accumulateGradients(rows, tokenWeight, seed);
    }

    @Override
    public float[][] tokenLosses(int[][] tokens) {
        return inner.tokenLosses(tokens);
    }

    @Override
    public void weightsChanged() {
        inner.weightsChanged();
    }

    @Override
    public Map<String, String> identity() {
        return inner.identity();
    }

    @Override
    public Lifetime.Lease use() {
        return inner.use();
    }

    @Override
    public Lifetime.Lease begin() {
        return inner.begin();
    }

    @Override
    public void write(Runnable writing) {
        inner.write(() -> {
            writing.run();
            written();
        });
    }

    /** Called within {@link #write}, after the parameters were written to. */
    protected void written() {
        // nothing by default
    }
}
