package io.github.bts4j.core.constraint;

/** A rule that calls other rules and reads no bytes itself. Its places are compared by value. */
abstract non-sealed class Composite extends Node {
    /** What may come next at a place. */
    interface Choices {
        /** A rule from some place of it, after which this rule continues. */
        void call(Node child, Object from, Object then);

        /** A rule, at whose end this one ends as well. */
        void last(Node child);

        /** The end of this rule. */
        void end();
    }

    /** Gives everything that may come next; only productive rules are called. */
    abstract void choices(Object place, Choices out);

    /** Whether it is productive, given what is known of the rules that it calls. */
    abstract boolean canEnd();

    /** Where it continues after a call. */
    Object resume(Object then, Object result) {
        return then;
    }
}
