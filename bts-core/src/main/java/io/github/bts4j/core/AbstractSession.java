package io.github.bts4j.core;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** What sessions of all models share: checks, position, and the step scope in which one call's tensors live. For one thread at a time. */
public abstract class AbstractSession implements DecodeSession {
    private final CausalLm model;
    private final NDManager manager;
    private final int capacity;
    private int length;
    private boolean closed;

    /**
     * Starts an empty session.
     *
     * @param model the model
     * @param manager parent of the step scopes, on the model's device
     * @param capacity tokens
     */
    protected AbstractSession(CausalLm model, NDManager manager, int capacity) {
        this.model = model;
        this.manager = manager;
        this.capacity = capacity;
    }

    @Override
    public final float[] append(int... tokenIds) {
        if (closed) {
            throw new IllegalStateException("This session is closed");
        }
        if (tokenIds.length == 0 || tokenIds.length > capacity - length) {
            throw new IllegalArgumentException(tokenIds.length + " new tokens: the session holds " + length + " of " + capacity
                    + "; append between 1 and " + (capacity - length) + ", or open a session with a larger capacity");
        }
        try (NDManager step = manager.newSubManager()) {
            NDArray ids = TokenBatch.tensor(step, new int[][] {tokenIds}, 0, tokenIds.length, model.vocabSize());
            float[] logits = decode(step, ids, length).toFloatArray();
            length += tokenIds.length;
            return logits;
        }
    }

    /**
     * Runs the new tokens through the model and writes the caches.
     *
     * @param step owner of the result
     * @param ids int64 {@code [1, new tokens]}
     * @param start the number of tokens already in the caches
     * @return float32 logits {@code [1, vocabulary]} of the last token
     */
    protected abstract NDArray decode(NDManager step, NDArray ids, int start);

    /** Releases the caches; called once. */
    protected abstract void release();

    @Override
    public final int length() {
        return length;
    }

    @Override
    public final int capacity() {
        return capacity;
    }

    @Override
    public final void close() {
        if (!closed) {
            closed = true;
            release();
        }
    }
}
