package io.github.bts4j.core;


/** A session of a {@link GatedLm} that also returns gate weights. */
public interface GatedSession extends DecodeSession {
    /** {@return the gate weights of the tokens of the last {@link #append}, by token; empty before the first call} */
    GateWeights gates();
}
