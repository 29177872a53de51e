package io.github.bts4j.core.generate;

import java.util.Set;

/**
 * Which tokens end a text.
 *
 * @param ofModel whether they are the model's own; {@code ids} is empty then
 * @param ids the tokens otherwise; none lets a text go on until another limit is met
 */
public record EndTokens(boolean ofModel, Set<Integer> ids) {
    /** The model's own, as its checkpoint names them: the default. */
    public static final EndTokens OF_MODEL = new EndTokens(true, Set.of());

    /** None: the text goes on behind them. */
    public static final EndTokens NONE = new EndTokens(false, Set.of());

    /**
     * Copies the ids.
     *
     * @param ofModel whether they are the model's own
     * @param ids the tokens otherwise
     * @throws IllegalArgumentException if an id is negative, or there are ids besides the model's own
     */
    public EndTokens {
        ids = Set.copyOf(ids);
        if (ofModel && !ids.isEmpty() || ids.stream().anyMatch(id -> id < 0)) {
            throw new IllegalArgumentException("endTokens = " + ids + ", must be " + (ofModel ? "empty where the model's own are taken" : "token ids from 0 on"));
        }
    }

    /**
     * These tokens, in place of the model's own.
     *
     * @param ids token ids; none is {@link #NONE}
     * @return the choice
     * @throws IllegalArgumentException if an id is negative
     */
    public static EndTokens of(Set<Integer> ids) {
        return new EndTokens(false, ids);
    }

    /** The ids for a model whose own are these. */
    Set<Integer> or(Set<Integer> own) {
        return ofModel ? own : ids;
    }
}
