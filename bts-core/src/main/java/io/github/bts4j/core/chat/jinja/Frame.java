package io.github.bts4j.core.chat.jinja;

/**
 * Where the compiler is: which names mean what, which function's variables they are, whether assignments are the template's own, whether a filter's
 * absence may wait until it is called.
 */
record Frame(Symbols symbols, FunctionScope scope, boolean topLevel, boolean soft, boolean inLoop) {
    /** A frame inside. */
    Frame inner() {
        return new Frame(new Symbols(symbols), scope, false, false, inLoop);
    }

    /** The same in a condition. */
    Frame softened() {
        return new Frame(symbols.copy(), scope, topLevel, true, inLoop);
    }

    Frame looping(boolean loop) {
        return new Frame(symbols, scope, topLevel, soft, loop);
    }

    /** A frame inside of a function of its own. */
    Frame function() {
        return new Frame(new Symbols(symbols), new FunctionScope(scope), false, false, false);
    }
}
