package io.github.bts4j.core;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A frozen language model made of several, a hub and experts, whose gates weigh them token by token. Thread-safe for reading. */
public interface GatedLm extends CausalLm {
    @Override
    default Optional<GatedLm> gated() {
        return Optional.of(this);
    }

    /**
     * The models that it is made of.
     *
     * @return their names in the order of the gates' weights, hub first
     */
    List<String> modelNames();

    /**
     * The experts.
     *
     * @return their names, in the order of the gates' weights behind the hub's
     */
    default List<String> experts() {
        return modelNames().subList(1, modelNames().size());
    }

    /**
     * The gate weights along a text, computed in one pass.
     *
     * @param tokenIds token ids, at least one and at most the context
     * @return the weights of every token
     * @throws IllegalArgumentException if the text is too short or too long, or an id is out of range
     */
    GateWeights gates(int... tokenIds);

    /**
     * Opens a session that also gives the gate weights of the tokens it is given.
     *
     * @param capacity the most tokens it will hold
     * @return a session with empty caches
     * @throws IllegalArgumentException if the capacity is below 1 or above {@link #contextLength}
     */
    GatedSession newGatedSession(int capacity);

    /**
     * The same model with some experts switched off, which computes what removing them would compute: to see, or let a client see, what an expert is good for.
     * It shares all weights, and stays what it is when weights or experts of this model change, see {@link #isPresent}: the memory of what they were is in use
     * until it is closed.
     *
     * @param experts names of the experts to switch off; the hub stays
     * @return a model, which the caller closes; once this one is closed, it says so
     * @throws IllegalArgumentException if there is no such expert
     */
    GatedLm without(Set<String> experts);

    /**
     * Whether this has the experts and weights that its model has now.
     *
     * @return false of a model with experts switched off, once experts or weights of the model that it came from have changed
     */
    default boolean isPresent() {
        return true;
    }
}
