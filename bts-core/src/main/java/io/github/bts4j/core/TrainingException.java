package io.github.bts4j.core;

/**
 * A training cannot continue, although its inputs are valid; for example, because a loss is not finite.
 */
public non-sealed class TrainingException extends Bts4jException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message value, limit and likely fix
     */
    public TrainingException(String message) {
        super(message, null);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param message value, limit and likely fix
     * @param cause the exception that was caught
     */
    public TrainingException(String message, Throwable cause) {
        super(message, cause);
    }
}
