package io.github.bts4j.core.checkpoint;

import java.nio.file.Path;
import java.util.Optional;

/** A file that is not what its format says; the message names the file and, where known, the tensor and the byte offset. */
public final class ModelFormatException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String path;
    private final String tensor;
    private final long offset;

    /**
     * Reports a bad file.
     *
     * @param path the file or folder
     * @param message what is wrong, the limit, and the likely fix
     */
    public ModelFormatException(Path path, String message) {
        this(path, "", -1, message);
    }

    /**
     * Reports a bad tensor or place in a file.
     *
     * @param path the file
     * @param tensor the tensor's name, or an empty string
     * @param offset byte offset in the file, or -1
     * @param message what is wrong, the limit, and the likely fix
     */
    public ModelFormatException(Path path, String tensor, long offset, String message) {
        super(path + (offset < 0 ? "" : " at byte " + offset) + ": " + (tensor.isEmpty() ? "" : "tensor '" + tensor + "': ") + message);
        this.path = path.toString();
        this.tensor = tensor;
        this.offset = offset;
    }

    /**
     * The file or folder.
     *
     * @return its path
     */
    public Path path() {
        return Path.of(path);
    }

    /**
     * The tensor at fault.
     *
     * @return its name, where one is
     */
    public Optional<String> tensor() {
        return tensor.isEmpty() ? Optional.empty() : Optional.of(tensor);
    }

    /**
     * Where in the file.
     *
     * @return the byte offset, or -1 where none is known
     */
    public long offset() {
        return offset;
    }
}
