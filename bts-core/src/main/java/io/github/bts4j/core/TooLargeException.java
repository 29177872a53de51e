package io.github.bts4j.core;

/**
 * Something does not fit: a text or a request above its limit, or a computation above the memory that there is.
 */
public non-sealed class TooLargeException extends Bts4jException {
    private static final long serialVersionUID = 1L;

    /**
     * Reports what is wrong.
     *
     * @param message value, limit and likely fix
     */
    public TooLargeException(String message) {
        super(message, null);
    }

    /**
     * Reports what another exception brought to light.
     *
     * @param message value, limit and likely fix
     * @param cause the exception that was caught
     */
    public TooLargeException(String message, Throwable cause) {
        super(message, cause);
    }
}
