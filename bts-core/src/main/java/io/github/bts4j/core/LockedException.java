package io.github.bts4j.core;

import java.nio.file.Path;

/**
 * A file or folder is in use by another process or another object of this one.
 */
public non-sealed class LockedException extends Bts4jException {
    private static final long serialVersionUID = 1L;

    /** As a string, because a path is not serializable. */
    private final String path;

    /**
     * Creates an exception.
     *
     * @param path the file or folder that is in use
     * @param message value, limit and likely fix; it names the path
     */
    public LockedException(Path path, String message) {
        this(path, message, null);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param path the file or folder that is in use
     * @param message value, limit and likely fix; it names the path
     * @param cause the exception that was caught, or null
     */
    public LockedException(Path path, String message, Throwable cause) {
        super(message, cause);
        this.path = path.toString();
    }

    /**
     * The file or folder.
     *
     * @return the file or folder that is in use
     */
    public Path path() {
        return Path.of(path);
    }
}
