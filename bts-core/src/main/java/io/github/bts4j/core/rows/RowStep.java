package io.github.bts4j.core.rows;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The tokens of one step, as a decoder sees them: the state of each after the layers so far, and where it stands. They are one token of each of several sessions, or several of one session.
 *
 * @param state residual streams {@code [tokens][hidden]}, changed in place
 * @param positions the number of tokens that come before each in its session
 * @param caches the cache of each token's session
 * @param ofOneSession whether all belong to one session, where they follow upon each other
 */
public record RowStep(float[][] state, int[] positions, RowCache[] caches, boolean ofOneSession) {
    /**
     * One token of each of several sessions.
     *
     * @param state residual streams {@code [sessions][hidden]}, changed in place
     * @param positions the number of tokens already in each session's cache
     * @param caches the cache of each session
     * @return the step
     */
    public static RowStep ofSessions(float[][] state, int[] positions, RowCache[] caches) {
        return new RowStep(state, positions, caches, false);
    }

    /**
     * Several tokens of one session.
     *
     * @param state residual streams {@code [tokens][hidden]}, changed in place
     * @param start the number of tokens already in the cache
     * @param cache the session's cache
     * @return the step
     */
    public static RowStep ofPrompt(float[][] state, int start, RowCache cache) {
        RowCache[] caches = new RowCache[state.length];
        Arrays.fill(caches, cache);
        return new RowStep(state, IntStream.range(start, start + state.length).toArray(), caches, state.length > 1);
    }

    /**
     * The number of tokens.
     *
     * @return tokens
     */
    public int tokens() {
        return state.length;
    }

    /**
     * The length of a token's session once the step is done: what rotations depend on whose frequencies follow the length of the sequence.
     *
     * @param token index of the token
     * @return tokens, all of this step's included
     */
    public int lengthAfter(int token) {
        return positions[ofOneSession ? positions.length - 1 : token] + 1;
    }

    /** The states whose logits are wanted: of every session the last one. */
    float[][] last() {
        return ofOneSession ? new float[][] {state[state.length - 1]} : state;
    }
}
