package io.github.bts4j.core.chat.jinja;

/** A compiled statement. */
interface Step {
    /** How a statement ended. */
    enum Signal { NEXT, BREAK, CONTINUE }

    Signal exec(Run run, Locals locals);
}
