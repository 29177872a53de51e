package io.github.bts4j.core.constraint;

/** A rule of a grammar. Immutable once the grammar is complete. */
abstract sealed class Node permits Terminal, Composite {
    private boolean productive;

    /** Where the rule begins. */
    abstract Object begin();

    /** Whether some text follows the rule from its beginning to its end; known once the grammar is complete. */
    final boolean isProductive() {
        return productive;
    }

    final void productive() {
        productive = true;
    }
}
