package io.github.bts4j.core;

/**
 * The decoding of one sequence: it owns the KV caches and grows token by token.
 *
 * <p>A session can be used by one thread at a time, which is checked; many sessions of one model may run at once. The caller closes it, on any thread. A session
 * holds its model only while it computes, and throws once the model is closed.
 */
public interface DecodeSession extends AutoCloseable {
    /**
     * Appends tokens and returns the logits of the next one. Several tokens are processed together, many of them in blocks.
     *
     * @param tokenIds the new tokens, at least one, each in {@code [0, vocabSize)}
     * @return float32 logits {@code [vocabSize]} of the token after the last one
     * @throws IllegalArgumentException if a token is out of range or the tokens do not fit into the capacity; the session is unchanged
     * @throws IllegalStateException if the session or its model is closed, or another thread is using the session; the session is unchanged
     */
    float[] append(int... tokenIds);

    /**
     * Works on a prompt for about a twentieth of a second, so that a server can do other work between the parts of a long prompt. Afterwards {@link #length} includes those of
     * its tokens that have been appended; further calls of this method, or {@link #append}, take the others. Models that cannot interrupt a prompt process all of it.
     *
     * @param tokenIds the tokens that have not been appended yet, at least one, each in {@code [0, vocabSize)}
     * @return the logits of the next token, as {@link #append} returns them; nothing if there is more to do
     * @throws IllegalArgumentException as {@link #append} does
     * @throws IllegalStateException as {@link #append} does
     */
    default float[] appendPart(int... tokenIds) {
        return append(tokenIds);
    }

    /**
     * Takes over the states of prompts' beginnings from a cache, and adds to it. Only an empty session of a model whose states can be copied does so; for others this call
     * has no effect.
     *
     * @param cache the cache
     */
    default void reuse(PrefixCache cache) {
        // not supported
    }

    /**
     * How many of the tokens were taken from a prefix cache.
     *
     * @return tokens
     */
    default int reusedTokens() {
        return 0;
    }

    /** {@return the number of tokens appended so far} */
    int length();

    /** {@return the maximum number of tokens} */
    int capacity();

    /** Releases the caches, after any call that another thread is running. Closing twice does nothing. */
    @Override
    void close();
}
