package io.github.bts4j.core.constraint;

import java.util.Set;

/** A state of the automaton: the places where the text may be. */
final class State {
    final Set<Stack> tops;
    final boolean accepting;
    final int generation;
    State[] next; // by byte, as far as known
    TokenTrie masked;
    long[] mask;

    State(Set<Stack> tops, boolean accepting, int generation) {
        this.tops = tops;
        this.accepting = accepting;
        this.generation = generation;
    }

    /** Whether nothing may follow, so that the text is complete or has no continuation. */
    boolean isLast() {
        return tops.isEmpty();
    }

    @Override
    public int hashCode() {
        return tops.hashCode();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof State state && accepting == state.accepting && tops.equals(state.tops);
    }
}
