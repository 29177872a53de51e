package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import java.util.Map;

/** A training that hands everything on to another: for those that change the tokens of a pass or its losses, and nothing else. */
public abstract class ForwardingTrainable implements Trainable {
    private final Trainable inner;

    /**
     * Hands on to a training.
     *
     * @param inner the training; whoever made it closes it
     */
    protected ForwardingTrainable(Trainable inner) {
        this.inner = inner;
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

    /** Called within {@link #write}, when the parameters were written to. */
    protected void written() {
        // nothing else
    }
}
