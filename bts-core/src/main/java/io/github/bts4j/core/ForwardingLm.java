package io.github.bts4j.core;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Set;

/**
 * A model that delegates all calls to another one; a base for subclasses. It has no gates, and {@link #appendEach} appends to one session after the other, so that sessions of a
 * subclass, such as {@link ForwardingSession}, see every token.
 */
public abstract class ForwardingLm implements CausalLm {
    private final CausalLm model;

    /**
     * Delegates to a model.
     *
     * @param model the delegate
     */
    protected ForwardingLm(CausalLm model) {
        this.model = model;
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
    public Set<Integer> endTokens() {
        return model.endTokens();
    }

    @Override
    public void requireFiniteWeights() {
        model.requireFiniteWeights();
    }

    @Override
    public Device device() {
        return model.device();
    }

    @Override
    public NDArray forward(NDArray tokenIds) {
        return model.forward(tokenIds);
    }

    @Override
    public float[][] logits(int... tokenIds) {
        return model.logits(tokenIds);
    }

    @Override
    public float[] meanState(int... tokenIds) {
        return model.meanState(tokenIds);
    }

    @Override
    public float[][] tokenLosses(int[][] tokens) {
        return model.tokenLosses(tokens);
    }

    @Override
    public DecodeSession newSession(int capacity) {
        return model.newSession(capacity);
    }

    @Override
    public float[][] appendEach(List<? extends DecodeSession> sessions, int[] tokenIds) {
        float[][] logits = new float[tokenIds.length][];
        for (int i = 0; i < tokenIds.length; i++) {
            logits[i] = sessions.get(i).append(tokenIds[i]);
        }
        return logits;
    }

    @Override
    public void close() {
        model.close();
    }
}
