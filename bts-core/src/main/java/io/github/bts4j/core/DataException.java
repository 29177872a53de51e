package io.github.bts4j.core;

import java.nio.file.Path;

/**
 * A text source or a set of items is missing, damaged, empty, or of an unsupported kind.
 */
public non-sealed class DataException extends Bts4jException {
    private static final long serialVersionUID = 1L;

    /** As a string, because a path is not serializable. */
    private final String path;

    /**
     * Creates an exception.
     *
     * @param path the source that is wrong
     * @param message value, limit and likely fix; it names the path
     */
    public DataException(Path path, String message) {
        this(path, message, null);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param path the source that is wrong
     * @param message value, limit and likely fix; it names the path
     * @param cause the exception that was caught, or null
     */
    public DataException(Path path, String message, Throwable cause) {
        super(message, cause);
        this.path = path.toString();
    }

    /**
     * The file or folder.
     *
     * @return the source that is wrong
     */
    public Path path() {
        return Path.of(path);
    }
}
