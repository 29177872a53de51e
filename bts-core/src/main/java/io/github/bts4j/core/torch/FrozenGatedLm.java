package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.GatedLm;
import io.github.bts4j.core.GatedSession;
import io.github.bts4j.core.Lifetime;
import java.util.Set;

/** A model with experts and gates, on DJL's engine. Thread-safe for reading. */
public abstract class FrozenGatedLm extends FrozenLm implements GatedLm {
    /**
     * Creates a model whose tensors belong to the given manager.
     *
     * @param name the model's name
     * @param manager owner of the model's tensors, closed with the model
     * @param parents the lifetimes of its dependencies
     * @throws IllegalStateException if a parent is closed
     */
    protected FrozenGatedLm(String name, NDManager manager, Lifetime... parents) {
        super(name, manager, parents);
    }

    @Override
    public final GatedSession newGatedSession(int capacity) {
        checkCapacity(capacity);
        return lifetime().hold(() -> openGatedSession(capacity));
    }

    @Override
    public float[] meanState(int... tokenIds) {
        try (GatedLm present = without(Set.of())) { // with the weights of this moment
            return present.meanState(tokenIds);
        }
    }

    /**
     * Opens a session that returns gate weights, under a lease on the model.
     *
     * @param capacity tokens, between 1 and the context length
     * @return an empty session of this model
     */
    protected abstract GatedSession openGatedSession(int capacity);
}
