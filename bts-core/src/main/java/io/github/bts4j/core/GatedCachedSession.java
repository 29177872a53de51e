package io.github.bts4j.core;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * A session that keeps the gate weights of its tokens. It has the same engines as the model's other sessions, and one pass can serve both.
 *
 * @param <S> type of the state between steps
 */
public final class GatedCachedSession<S extends KvState> extends CachedSession<S> implements GatedSession {
    private final List<float[][][]> passes = new ArrayList<>(); // of the call of append that is running, and those of appendPart before it
    private GateWeights gates;

    /**
     * Starts an empty session.
     *
     * @param model the model
     * @param parent the lifetime of the engines' weights
     * @param engines the engines
     * @param capacity tokens
     * @param states creates the state for a number of tokens
     * @param none the weights of no tokens, with the names of the models and the layers
     * @throws IllegalStateException if the model is closed
     */
    public GatedCachedSession(CausalLm model, Lifetime parent, List<DecodeEngine<S>> engines, int capacity, IntFunction<S> states, GateWeights none) {
        super(model, parent, engines, capacity, states);
        this.gates = none;
    }

    @Override
    GateSink gateSink() {
        return passes::add;
    }

    @Override
    void appended() {
        gates = gates.with(passes);
        passes.clear();
    }

    @Override
    void failed() {
        passes.clear();
    }

    /** {@inheritDoc} Tokens whose states came from a prefix cache have none. */
    @Override
    public GateWeights gates() {
        return gates;
    }
}
