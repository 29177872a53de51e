package io.github.bts4j.core;

/**
 * Whatever can go wrong by no fault of the calling code: the root of this library's own exceptions.
 *
 * <p>The kinds are few and closed, so that a {@code switch} over them is complete; each kind is open to subtypes with more detail, such as
 * {@link io.github.bts4j.core.checkpoint.ModelFormatException}. The message is one sentence with the value that was found, the limit it broke and the likely
 * fix; it names the file, where there is one. The package description says which kind means what.
 *
 * <p>Not among them: {@link IllegalArgumentException} and {@link IllegalStateException} for a mistake in the calling code, and
 * {@link java.io.IOException} where the operating system fails to read or write a file.
 *
 * <p>Instances are immutable and safe to share between threads.
 */
public abstract sealed class Bts4jException extends RuntimeException
        permits DataException, FileFormatException, LockedException, MismatchException, OutputException, TooLargeException, TrainingException, UnsupportedException {
    private static final long serialVersionUID = 1L;

    Bts4jException(String message, Throwable cause) {
        super(message);
        if (cause != null) {
            initCause(cause); // left open otherwise, for callers that add one
        }
    }
}
