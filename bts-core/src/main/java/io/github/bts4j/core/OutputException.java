package io.github.bts4j.core;

import java.nio.file.Path;

/**
 * A file or folder cannot be written to, because it holds something else or is of another kind.
 */
public non-sealed class OutputException extends Bts4jException {
    private static final long serialVersionUID = 1L;

    /** As text, because a path is not serializable. */
    private final String path;

    /**
     * Reports what is wrong.
     *
     * @param path the output that is in the way
     * @param message value, limit and likely fix; it names the path
     */
    public OutputException(Path path, String message) {
        this(path, message, null);
    }

    /**
     * Reports what another exception brought to light.
     *
     * @param path the output that is in the way
     * @param message value, limit and likely fix; it names the path
     * @param cause the exception that was caught, or null
     */
    public OutputException(Path path, String message, Throwable cause) {
        super(message, cause);
        this.path = path.toString();
    }

    /**
     * Which file or folder it is about.
     *
     * @return the output that is in the way
     */
    public Path path() {
        return Path.of(path);
    }
}
