package io.github.bts4j.core;

/** A model that the Hugging Face cache does not hold, or that the Hub does not give. */
public final class HubException extends Bts4jException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message the model, what is missing or refused, and the likely fix
     */
    public HubException(String message) {
        super(message, null);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param message the model, what is missing or refused, and the likely fix
     * @param cause the exception that was caught
     */
    public HubException(String message, Throwable cause) {
        super(message, cause);
    }
}
