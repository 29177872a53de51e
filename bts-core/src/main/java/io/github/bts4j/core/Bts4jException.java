package io.github.bts4j.core;

import io.github.bts4j.core.support.Quoted;

/**
 * The root of this library's exceptions: problems that are not a mistake in the calling code.
 *
 * <p>The kinds are sealed, so that a {@code switch} over them is complete. Each kind may have subtypes with more detail, such as
 * {@link io.github.bts4j.core.checkpoint.ModelFormatException}. The message is one sentence with the value, its limit and the likely
 * fix; it names the file, if there is one. It can be printed as it is: control characters are escaped, and it has at most about 20,000 characters. The package description explains the kinds.
 *
 * <p>Not included are {@link IllegalArgumentException} and {@link IllegalStateException} for a mistake in the calling code, and
 * {@link java.io.IOException} if the operating system fails to read or write a file.
 *
 * <p>Instances are immutable and safe to share between threads.
 */
public abstract sealed class Bts4jException extends RuntimeException
        permits DataException, FileFormatException, HubException, LockedException, MismatchException, OutputException, TooLargeException, TrainingException, UnsupportedException {
    private static final long serialVersionUID = 1L;

    Bts4jException(String message, Throwable cause) {
        super(Quoted.message(message)); // parts of it may come from a file
        if (cause != null) {
            initCause(cause); // otherwise callers may add one
        }
    }
}
