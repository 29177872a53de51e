package io.github.bts4j.core;

/** The state of a session between steps: KV caches, or sessions of other models. For one thread at a time; the session closes it. */
public interface KvState extends AutoCloseable {
    /** Releases the state. Closing twice does nothing. */
    @Override
    void close();
}
