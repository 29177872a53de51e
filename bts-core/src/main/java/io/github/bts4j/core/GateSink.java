package io.github.bts4j.core;

/** Receives the gate weights of a session's tokens, once for each pass. */
@FunctionalInterface
public interface GateSink {
    /** The sink of a session whose gates nobody wants. */
    GateSink NONE = weights -> { };

    /**
     * Takes the weights of the tokens of one pass.
     *
     * @param weights {@code [tokens][layers][models]}, averaged over channels
     */
    void accept(float[][][] weights);
}
