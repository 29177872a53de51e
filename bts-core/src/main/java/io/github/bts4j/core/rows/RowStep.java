package io.github.bts4j.core.rows;

/**
 * The sessions of one step, as a decoder sees them: the state of each after the layers so far, and where it stands.
 *
 * @param state residual streams {@code [sessions][hidden]}, changed in place
 * @param positions the number of tokens already in each session's cache
 * @param caches the cache of each session
 */
public record RowStep(float[][] state, int[] positions, RowCache[] caches) {
    /**
     * The number of sessions.
     *
     * @return sessions
     */
    public int sessions() {
        return state.length;
    }
}
