package io.github.bts4j.core;

/** What a session keeps from one step to the next: KV caches, or the sessions of the models that it decodes with. For one thread at a time; the session closes it. */
public interface KvState extends AutoCloseable {
    /** Releases it. Closing twice does nothing. */
    @Override
    void close();
}
