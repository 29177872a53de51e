package io.github.bts4j.core;

/**
 * Something that this library, this build or this machine does not support: an unknown feature, a missing device, an element type without a kernel, missing native libraries.
 */
public non-sealed class UnsupportedException extends Bts4jException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message value, limit and likely fix
     */
    public UnsupportedException(String message) {
        super(message, null);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param message value, limit and likely fix
     * @param cause the exception that was caught
     */
    public UnsupportedException(String message, Throwable cause) {
        super(message, cause);
    }
}
