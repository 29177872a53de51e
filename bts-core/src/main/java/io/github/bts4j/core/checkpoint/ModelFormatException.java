package io.github.bts4j.core.checkpoint;

import java.nio.file.Path;

/** A file of a checkpoint cannot be used: the message names the file, the place in it, what was found and what was expected. */
public class ModelFormatException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes the exception.
     *
     * @param path the file or folder
     * @param message what is wrong with it
     */
    public ModelFormatException(Path path, String message) {
        super(path + ": " + message);
    }
}
