package io.github.bts4j.core;

import java.nio.file.Path;

/**
 * A file of a model, a tokenizer, a cache or a run is missing, damaged, malicious, or of an unsupported kind.
 */
public non-sealed class FileFormatException extends Bts4jException {
    private static final long serialVersionUID = 1L;

    /** As a string, because a path is not serializable. */
    private final String path;

    /**
     * Creates an exception.
     *
     * @param path the file or folder that is wrong
     * @param message value, limit and likely fix; it names the path
     */
    public FileFormatException(Path path, String message) {
        this(path, message, null);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param path the file or folder that is wrong
     * @param message value, limit and likely fix; it names the path
     * @param cause the exception that was caught, or null
     */
    public FileFormatException(Path path, String message, Throwable cause) {
        super(message, cause);
        this.path = path.toString();
    }

    /**
     * Creates an exception about a file.
     *
     * @param path the file or folder that is wrong
     * @param message value, limit and likely fix, without the path
     * @param cause the exception that was caught, or null
     * @return the exception to throw
     */
    public static FileFormatException of(Path path, String message, Throwable cause) {
        return new FileFormatException(path, path + ": " + message, cause);
    }

    /** {@return the file or folder that is wrong} */
    public Path path() {
        return Path.of(path);
    }
}
