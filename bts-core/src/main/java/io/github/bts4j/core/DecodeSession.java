package io.github.bts4j.core;

/**
 * The decoding of one sequence: it owns the KV caches and grows token by token.
 *
 * <p>A session can be used by one thread at a time, which is checked; many sessions of one model may run at once. The caller closes it, on any thread. A session
 * holds its model only while it computes, and throws once the model is closed.
 */
public interface DecodeSession extends AutoCloseable {
    /**
     * Appends tokens and returns the logits of the next one. Several tokens are processed in one pass.
     *
     * @param tokenIds the new tokens, at least one, each in {@code [0, vocabSize)}
     * @return float32 logits {@code [vocabSize]} of the token after the last one
     * @throws IllegalArgumentException if a token is out of range or the tokens do not fit into the capacity; the session is unchanged
     * @throws IllegalStateException if the session or its model is closed, or another thread is using the session; the session is unchanged
     */
    float[] append(int... tokenIds);

    /**
     * The number of tokens appended so far.
     *
     * @return tokens
     */
    int length();

    /**
     * The maximum number of tokens.
     *
     * @return tokens
     */
    int capacity();

    /** Releases the caches, after any call that another thread is running. Closing twice does nothing. */
    @Override
    void close();
}
