package io.github.bts4j.core.chat.jinja;

/** A compiled expression. */
interface Code {
    Object eval(Run run, Locals locals);

    /** The same, whose errors are at a place if they are nowhere else yet. */
    default Code at(Place place) {
        return (run, locals) -> {
            try {
                return eval(run, locals);
            } catch (Fault e) {
                throw e.at(place);
            }
        };
    }
}
