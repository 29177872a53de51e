package io.github.bts4j.core.generate;

import java.util.Set;

/**
 * The end tokens of a generation.
 *
 * @param ofModel whether to use the model's end tokens; {@code ids} is then empty
 * @param ids other end tokens; empty for none, so that only other limits end a text
 */
public record EndTokens(boolean ofModel, Set<Integer> ids) {
    /** The end tokens of the model's checkpoint: the default. */
    public static final EndTokens OF_MODEL = new EndTokens(true, Set.of());

    /** No end tokens: the text continues after them. */
    public static final EndTokens NONE = new EndTokens(false, Set.of());

    /**
     * Copies the ids.
     *
     * @param ofModel whether to use the model's end tokens
     * @param ids other end tokens
     * @throws IllegalArgumentException if an id is negative, or there are ids although the model's are used
     */
    public EndTokens {
        ids = Set.copyOf(ids);
        if (ofModel && !ids.isEmpty() || ids.stream().anyMatch(id -> id < 0)) {
            throw new IllegalArgumentException("endTokens = " + ids + ", must be " + (ofModel ? "empty if the model's are used" : "token ids of 0 or more"));
        }
    }

    /**
     * These tokens instead of the model's.
     *
     * @param ids token ids; empty is {@link #NONE}
     * @return the choice
     * @throws IllegalArgumentException if an id is negative
     */
    public static EndTokens of(Set<Integer> ids) {
        return new EndTokens(false, ids);
    }

    /** The ids, given the model's end tokens. */
    Set<Integer> or(Set<Integer> own) {
        return ofModel ? own : ids;
    }
}
