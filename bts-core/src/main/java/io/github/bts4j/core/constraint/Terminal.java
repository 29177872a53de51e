package io.github.bts4j.core.constraint;

/** A rule over bytes: a deterministic automaton whose states ("places") are compared by value. From every place that it reaches, it can reach its end. */
abstract non-sealed class Terminal extends Node {
    Terminal() {
        productive();
    }

    /** The place after a byte, 0 to 255; null if the byte is not allowed. */
    abstract Object next(Object place, int value);

    /** Whether the rule may end here. */
    abstract boolean accepts(Object place);

    /** Whether a byte may follow. */
    abstract boolean goesOn(Object place);

    /** The place after a byte that has been generated, and is not only tried. */
    Object commit(Object place, int value) {
        return next(place, value);
    }

    /** Whether {@link #commit} differs from {@link #next}. */
    boolean remembers() {
        return false;
    }

    /** How many characters may follow whatever they are, apart from quotes, backslashes and control characters; -1 if that is not known. */
    long plainRoom(Object place) {
        return -1;
    }

    /** What the calling rule gets. */
    Object result(Object place) {
        return "";
    }
}
