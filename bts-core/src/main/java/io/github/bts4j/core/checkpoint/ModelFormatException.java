package io.github.bts4j.core.checkpoint;

import java.nio.file.Path;

/** A file of a checkpoint is missing a part, contradicts itself, or is not in the format that it claims to be in. */
public class ModelFormatException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /**
     * Names the file and what is wrong with it.
     *
     * @param path the file
     * @param message what is wrong, with the value found and the value expected
     */
    public ModelFormatException(Path path, String message) {
        super(path + ": " + message);
    }
}
