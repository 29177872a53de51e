package io.github.bts4j.core.support;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.Path;

/**
 * Distinguishes interrupts from damaged files: when a thread is interrupted, the JDK ends its reads with an exception.
 */
public final class Interrupts {
    private Interrupts() {}

    /**
     * Makes something.
     *
     * @param <T> what is made
     * @param <E> what may be thrown
     */
    @FunctionalInterface
    public interface Work<T, E extends Exception> {
        /**
         * Makes it.
         *
         * @return what was made
         * @throws E if it cannot be made
         */
        T run() throws E;
    }

    /**
     * Whether a failure was caused by an interrupt.
     *
     * @param failure the exception
     * @return true if it, or what caused it, is one of the JDK's exceptions for interrupts
     */
    public static boolean caused(Throwable failure) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            if (each instanceof ClosedByInterruptException || each instanceof InterruptedIOException || each instanceof FileLockInterruptionException) {
                return true;
            }
        }
        return false;
    }

    /**
     * Throws if a failed read was caused by an interrupt. The thread stays interrupted.
     *
     * @param file the file
     * @param failure the exception
     * @throws UncheckedIOException if {@link #caused} is true of it
     */
    public static void rethrow(Path file, Throwable failure) {
        throwIf(caused(failure),
                () -> new UncheckedIOException(file + ": reading was interrupted", failure instanceof IOException io ? io : new IOException(failure)));
    }

    /**
     * Runs code that must not be interrupted, such as loading a native library, which a process tries only once. An interrupt is restored afterwards.
     *
     * @param <T> what is made
     * @param <E> what may be thrown
     * @param work makes it
     * @return what was made
     * @throws E if {@code work} throws it
     */
    public static <T, E extends Exception> T postponed(Work<T, E> work) throws E {
        boolean interrupted = Thread.interrupted();
        try {
            return work.run();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
