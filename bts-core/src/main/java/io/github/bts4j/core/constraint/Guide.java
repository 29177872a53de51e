package io.github.bts4j.core.constraint;

import java.util.Set;

/** Follows one text, and says which tokens may come next. Not thread-safe. */
public final class Guide {
    /** Allows everything. */
    public static final Guide FREE = new Guide(null, null, Set.of());

    private final Automaton automaton;
    private final TokenTrie trie;
    private final Set<Integer> endTokens;
    private State state;
    private boolean stuck;

    Guide(Automaton automaton, TokenTrie trie, Set<Integer> endTokens) {
        this.automaton = automaton;
        this.trie = trie;
        this.endTokens = Set.copyOf(endTokens);
        this.state = automaton == null ? null : automaton.begin();
    }

    /**
     * Whether every token is allowed.
     *
     * @return true without a constraint
     */
    public boolean isFree() {
        return automaton == null;
    }

    /**
     * The logits with minus infinity for tokens that may not come next.
     *
     * @param logits the logits, {@code [vocabulary]}; not changed
     * @return a new array; the logits themselves if every token is allowed, or none of the vocabulary, see {@link #isStuck}
     */
    public float[] masked(float[] logits) {
        if (automaton == null) {
            return logits;
        }
        long[] mask = automaton.mask(state, trie);
        float[] masked = new float[logits.length];
        int allowed = 0;
        for (int id = 0; id < logits.length; id++) {
            boolean in = id >> 6 < mask.length && (mask[id >> 6] >>> id & 1) != 0;
            masked[id] = in ? logits[id] : Float.NEGATIVE_INFINITY;
            allowed += in ? 1 : 0;
        }
        for (int id : endTokens) {
            if (id < logits.length) {
                boolean was = id >> 6 < mask.length && (mask[id >> 6] >>> id & 1) != 0;
                masked[id] = state.accepting ? logits[id] : Float.NEGATIVE_INFINITY;
                allowed += (state.accepting ? 1 : 0) - (was ? 1 : 0);
            }
        }
        stuck = allowed == 0;
        return stuck ? logits : masked;
    }

    /**
     * Whether the text cannot continue, because the vocabulary lacks characters that the constraint needs.
     *
     * @return true if {@link #masked} found no token
     */
    public boolean isStuck() {
        return stuck;
    }

    /**
     * Continues after a token.
     *
     * @param token the id of the token, which is not an end token
     */
    public void accept(int token) {
        if (automaton != null) {
            byte[] bytes = trie.bytes(token);
            state = bytes == null ? automaton.commitSpecial(state, token) : automaton.commit(state, bytes);
        }
    }

    /**
     * Whether the text is complete, and no token but an end token may follow.
     *
     * @return true if so; false without a constraint
     */
    public boolean isComplete() {
        return automaton != null && state.accepting && state.isLast();
    }
}
