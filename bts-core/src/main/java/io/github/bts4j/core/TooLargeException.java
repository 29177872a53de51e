package io.github.bts4j.core;

/**
 * Something is too large: a text or request exceeds its limit, or a computation exceeds the available memory.
 */
public non-sealed class TooLargeException extends Bts4jException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message value, limit and likely fix
     */
    public TooLargeException(String message) {
        super(message, null);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param message value, limit and likely fix
     * @param cause the exception that was caught
     */
    public TooLargeException(String message, Throwable cause) {
        super(message, cause);
    }
}
