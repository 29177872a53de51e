package io.github.bts4j.core;

/** The state of a session between steps: KV caches, or sessions of other models. For one thread at a time; the session closes it. */
public interface KvState extends AutoCloseable {
    /** A copy of the states of some tokens, independent of the state that it comes from. Immutable. */
    interface Block extends AutoCloseable {
        /** {@return the size in bytes} */
        long bytes();

        /** Releases the memory. Closing twice does nothing. */
        @Override
        void close();
    }

    /**
     * Whether the state of a token depends on nothing but that token and those before it. Then a prompt may be processed in parts, and its states copied.
     *
     * @return false if it depends on the length of the whole prompt, too, or if states cannot be copied
     */
    default boolean isCausal() {
        return false;
    }

    /**
     * Copies the states of consecutive tokens.
     *
     * @param from position of the first token
     * @param to one past the last token
     * @return the copy, which the caller closes
     * @throws UnsupportedOperationException if the state is not {@link #isCausal causal}
     */
    default Block copy(int from, int to) {
        throw new UnsupportedOperationException("The state of this model cannot be copied in parts");
    }

    /**
     * Writes copied states back, at the positions that they come from.
     *
     * @param block a copy of a state of the same model
     * @param from position of the first token
     * @throws UnsupportedOperationException if the state is not {@link #isCausal causal}
     */
    default void restore(Block block, int from) {
        throw new UnsupportedOperationException("The state of this model cannot be restored in parts");
    }

    /** Releases the state. Closing twice does nothing. */
    @Override
    void close();
}
