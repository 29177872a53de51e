package io.github.bts4j.core;

/**
 * Things that do not match: a run and the options it is resumed with, a stitch and its base models, two tokenizers, two results to compare, a
 * chat template and a conversation.
 */
public non-sealed class MismatchException extends Bts4jException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message value, limit and likely fix
     */
    public MismatchException(String message) {
        super(message, null);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param message value, limit and likely fix
     * @param cause the exception that was caught
     */
    public MismatchException(String message, Throwable cause) {
        super(message, cause);
    }
}
