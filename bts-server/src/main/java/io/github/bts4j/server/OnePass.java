package io.github.bts4j.server;

/** Work of one pass over a given text. Its methods are called on the scheduler's thread. */
abstract non-sealed class OnePass extends Work {
    /**
     * Creates work that waits.
     *
     * @param deadline by {@link System#nanoTime}
     */
    OnePass(long deadline) {
        super(deadline);
    }

    /** The text's length in tokens. */
    abstract int length();

    /** Runs the model. */
    abstract void compute();

    /** Hands over the result; {@link #compute} came before. */
    abstract void done();
}
