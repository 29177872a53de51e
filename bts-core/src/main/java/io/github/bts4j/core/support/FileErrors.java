package io.github.bts4j.core.support;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Adds the file to errors of the operating system such as "No space left on device".
 */
public final class FileErrors {
    private FileErrors() {}

    /**
     * Reads or writes.
     *
     * @param <T> type of the result
     */
    @FunctionalInterface
    public interface Work<T> {
        /**
         * Does it.
         *
         * @return the result
         * @throws IOException if the operating system fails
         */
        T run() throws IOException;
    }

    /**
     * Reads or writes a file; a failure names it.
     *
     * @param <T> type of the result
     * @param file the file
     * @param work reads or writes it
     * @return the result of {@code work}
     * @throws IOException as {@link #naming} makes it of what {@code work} throws
     */
    public static <T> T named(Path file, Work<T> work) throws IOException {
        try {
            return work.run();
        } catch (IOException e) {
            throw naming(file, e);
        }
    }

    /**
     * The same failure with the file's name.
     *
     * @param file the file
     * @param failure the error of the operating system
     * @return {@code failure} if it names the file, or else an exception that does, with it as the cause
     */
    public static IOException naming(Path file, IOException failure) {
        String message = String.valueOf(failure.getMessage());
        if (message.contains(file.toString()) || failure instanceof com.fasterxml.jackson.core.JacksonException) {
            return failure;
        }
        FileSystemException found = failure instanceof FileSystemException e ? e : null;
        String reason = found == null ? message : found.getReason();
        FileSystemException named = found instanceof AccessDeniedException ? new AccessDeniedException(file.toString(), null, reason)
                : found instanceof NoSuchFileException ? new NoSuchFileException(file.toString(), null, reason)
                : new FileSystemException(file.toString(), null, reason == null ? failure.toString() : reason);
        named.initCause(failure);
        return named;
    }
}
