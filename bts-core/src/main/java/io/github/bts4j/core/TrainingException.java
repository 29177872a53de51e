package io.github.bts4j.core;

/**
 * A training cannot go on, though its inputs are as they should be; one case is a loss that is not finite.
 */
public non-sealed class TrainingException extends Bts4jException {
    private static final long serialVersionUID = 1L;

    /**
     * Reports what is wrong.
     *
     * @param message value, limit and likely fix
     */
    public TrainingException(String message) {
        super(message, null);
    }

    /**
     * Reports what another exception brought to light.
     *
     * @param message value, limit and likely fix
     * @param cause the exception that was caught
     */
    public TrainingException(String message, Throwable cause) {
        super(message, cause);
    }
}
