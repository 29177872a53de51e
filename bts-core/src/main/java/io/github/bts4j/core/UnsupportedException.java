package io.github.bts4j.core;

/**
 * What this library, this build of it or this machine cannot do: an unknown feature, a device that is not there, an element type without a kernel, missing native libraries.
 */
public non-sealed class UnsupportedException extends Bts4jException {
    private static final long serialVersionUID = 1L;

    /**
     * Reports what is wrong.
     *
     * @param message value, limit and likely fix
     */
    public UnsupportedException(String message) {
        super(message, null);
    }

    /**
     * Reports what another exception brought to light.
     *
     * @param message value, limit and likely fix
     * @param cause the exception that was caught
     */
    public UnsupportedException(String message, Throwable cause) {
        super(message, cause);
    }
}
