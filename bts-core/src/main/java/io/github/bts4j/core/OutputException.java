package io.github.bts4j.core;

import java.nio.file.Path;

/**
 * A file or folder cannot be written to, because it has other contents or is of another kind.
 */
public non-sealed class OutputException extends Bts4jException {
    private static final long serialVersionUID = 1L;

    /** As a string, because a path is not serializable. */
    private final String path;

    /**
     * Creates an exception.
     *
     * @param path the output
     * @param message value, limit and likely fix; it names the path
     */
    public OutputException(Path path, String message) {
        this(path, message, null);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param path the output
     * @param message value, limit and likely fix; it names the path
     * @param cause the exception that was caught, or null
     */
    public OutputException(Path path, String message, Throwable cause) {
        super(message, cause);
        this.path = path.toString();
    }

    /**
     * The file or folder.
     *
     * @return the output
     */
    public Path path() {
        return Path.of(path);
    }
}
