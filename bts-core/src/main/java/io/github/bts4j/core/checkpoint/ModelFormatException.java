package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.FileFormatException;
import io.github.bts4j.core.support.Interrupts;
import io.github.bts4j.core.support.Quoted;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A model file is missing, damaged, hostile, or of a kind that this library does not read.
 *
 * <p>The message names the file, the tensor and the byte if they are known, the value, its limit,
 * and a fix. Text from the file (tensor names, dtypes) is shortened and its
 * control characters are escaped, so that a message can be logged as it is.
 *
 * <p>Instances are immutable and safe to share between threads.
 */
public final class ModelFormatException extends FileFormatException {

    private static final long serialVersionUID = 1L;
    private static final int SHOWN_PROBLEMS = 50;

    /** The name of the tensor that is wrong, or null. */
    private final String tensor;

    /** Where the problem is, in bytes from the start of the file, or null. */
    private final Long offset;

    /**
     * A problem with a file as a whole.
     *
     * @param file the file or folder that is wrong
     * @param message value, limit and likely fix, without the path
     */
    public ModelFormatException(Path file, String message) {
        this(file, null, null, message, null);
    }

    /**
     * A problem with a file as a whole, and the exception that caused it.
     *
     * @param file the file or folder that is wrong
     * @param message value, limit and likely fix, without the path
     * @param cause the exception that was caught, or null
     */
    public ModelFormatException(Path file, String message, Throwable cause) {
        this(file, null, null, message, cause);
    }

    private ModelFormatException(Path file, String tensor, Long offset, String message, Throwable cause) {
        super(file, compose(file, tensor, offset, message), cause);
        this.tensor = tensor;
        this.offset = offset;
    }

    /**
     * A problem at one place of a file.
     *
     * @param file the file that is wrong
     * @param offset where, in bytes from the start of the file
     * @param message value, limit and likely fix, without path and place
     * @return the exception to throw
     */
    public static ModelFormatException at(Path file, long offset, String message) {
        return new ModelFormatException(file, null, offset, message, null);
    }

    /**
     * A problem with one tensor.
     *
     * @param file the file that is wrong
     * @param tensor the tensor's name
     * @param message value, limit and likely fix, without path and tensor
     * @return the exception to throw
     */
    public static ModelFormatException inTensor(Path file, String tensor, String message) {
        return new ModelFormatException(file, Objects.requireNonNull(tensor, "tensor"), null, message, null);
    }

    /**
     * A problem with one tensor at one place of a file.
     *
     * @param file the file that is wrong
     * @param tensor the tensor's name
     * @param offset where, in bytes from the start of the file
     * @param message value, limit and likely fix, without path, tensor and place
     * @return the exception to throw
     */
    public static ModelFormatException inTensor(Path file, String tensor, long offset, String message) {
        return new ModelFormatException(file, Objects.requireNonNull(tensor, "tensor"), offset, message, null);
    }

    /**
     * Several problems, reported at once. The message shows the first 50 of them and counts the rest.
     *
     * @param file the file or folder that is wrong
     * @param summary what all the problems have in common
     * @param problems the problems, at least one
     * @return the exception to throw
     * @throws IllegalArgumentException if {@code problems} is empty
     */
    public static ModelFormatException listing(Path file, String summary, List<String> problems) {
        throwIf(problems.isEmpty(), () -> new IllegalArgumentException("problems is empty: there is nothing to report about " + file));
        StringBuilder text = new StringBuilder(summary).append(" (").append(problems.size());
        text.append(problems.size() == 1 ? " problem):" : " problems):");
        int shown = Math.min(problems.size(), SHOWN_PROBLEMS);
        problems.subList(0, shown).forEach(problem -> text.append("\n  - ").append(problem));
        if (shown < problems.size()) {
            text.append("\n  - and ").append(problems.size() - shown).append(" more");
        }
        return new ModelFormatException(file, text.toString());
    }

    /** {@return the path of the file or folder that is wrong, as it was given} */
    public Path file() {
        return path();
    }

    /** {@return the full name of the tensor that is wrong; empty when the problem is not one tensor's} */
    public Optional<String> tensor() {
        return Optional.ofNullable(tensor);
    }

    /** {@return the place that is wrong, in bytes from the start of the file; empty when no single place is to blame} */
    public OptionalLong offset() {
        return offset == null ? OptionalLong.empty() : OptionalLong.of(offset);
    }

    /**
     * A file that cannot be read.
     *
     * @param file the file
     * @param failure the error of the operating system
     * @return the exception to throw
     * @throws java.io.UncheckedIOException if the thread was interrupted
     */
    public static ModelFormatException unreadable(Path file, IOException failure) {
        Interrupts.rethrow(file, failure);
        return new ModelFormatException(file, "cannot be read: " + failure, failure);
    }

    private static String compose(Path file, String tensor, Long offset, String message) {
        StringBuilder text = new StringBuilder(Objects.requireNonNull(file, "file").toString());
        if (tensor != null) {
            text.append(": tensor ").append(Quoted.of(tensor));
        }
        if (offset != null) {
            text.append(tensor == null ? ": byte " : ", byte ").append(offset);
        }
        return text.append(": ").append(Objects.requireNonNull(message, "message")).toString();
    }
}
