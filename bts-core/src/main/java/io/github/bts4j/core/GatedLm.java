package io.github.bts4j.core;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A frozen language model with a hub and experts, which gates weight token by token. Thread-safe for reading. */
public interface GatedLm extends CausalLm {
    @Override
    default Optional<GatedLm> gated() {
        return Optional.of(this);
    }

    /** {@return the models' names in the order of the gates' weights, hub first} */
    List<String> modelNames();

    /** {@return the experts' names in the order of the gates' weights after the hub's} */
    default List<String> experts() {
        return modelNames().subList(1, modelNames().size());
    }

    /** {@return the layers with gates, in the order of {@link GateWeights#values}} */
    default List<GateWeights.GateLayer> gateLayers() {
        try (GatedSession empty = newGatedSession(1)) {
            return empty.gates().layers();
        }
    }

    /**
     * The gate weights for a text, computed in one pass.
     *
     * @param tokenIds token ids, at least one and at most the context
     * @return the weights of each token
     * @throws IllegalArgumentException if the text is too short or too long, or an id is out of range
     */
    GateWeights gates(int... tokenIds);

    /**
     * Opens a session that also returns the gate weights of its tokens.
     *
     * @param capacity maximum number of tokens
     * @return a session with empty caches
     * @throws IllegalArgumentException if the capacity is below 1 or above {@link #contextLength}
     */
    GatedSession newGatedSession(int capacity);

    /**
     * A view of this model with some experts switched off, equivalent to removing them, to see what an expert contributes.
     * It shares all weights, and does not change when weights or experts of this model change, see {@link #isPresent}: the memory of the old ones is in use
     * until it is closed.
     *
     * @param experts names of the experts to switch off
     * @return a model, which the caller closes; it cannot be used after this one is closed
     * @throws IllegalArgumentException if there is no such expert
     */
    GatedLm without(Set<String> experts);

    /**
     * {@return whether this has the current experts and weights of its model; false for a view, once experts or weights of its model
     * have changed}
     */
    default boolean isPresent() {
        return true;
    }
}
