package io.github.bts4j.core;

/**
 * One sequence being decoded: it owns the KV caches and grows token by token.
 *
 * <p>A session belongs to one thread at a time, and refuses a second one; many sessions of one model may run at once. Whoever opens it closes it, on any thread. It
 * holds its model only while it computes: once the model is closed, it throws.
 */
public interface DecodeSession extends AutoCloseable {
    /**
     * Appends tokens and returns what the model expects next. Several tokens at once are processed in one pass.
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
     * The number of tokens that fit.
     *
     * @return tokens
     */
    int capacity();

    /** Releases the caches; waits where another thread is in the middle of a call. Closing twice does nothing. */
    @Override
    void close();
}
