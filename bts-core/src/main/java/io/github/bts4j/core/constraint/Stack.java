package io.github.bts4j.core.constraint;

/** Where a grammar is: a place of a rule, above the places where the calling rules continue. Null is the end of the text. Compared by value. */
final class Stack {
    final Node node;
    final Object place;
    final Stack below;
    private final int hash;

    Stack(Node node, Object place, Stack below) {
        this.node = node;
        this.place = place;
        this.below = below;
        this.hash = (System.identityHashCode(node) * 31 + place.hashCode()) * 31 + (below == null ? 0 : below.hash);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public boolean equals(Object other) {
        Stack one = this;
        Object two = other;
        while (one != two) {
            if (one == null || !(two instanceof Stack stack) || one.hash != stack.hash || one.node != stack.node || !one.place.equals(stack.place)) {
                return false;
            }
            one = one.below;
            two = stack.below;
        }
        return true;
    }
}
