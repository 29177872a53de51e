package io.github.bts4j.core.support;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Errors of the operating system, with the file that they are about: "No space left on device" alone does not say on which. Not for instances.
 */
public final class FileErrors {
    private FileErrors() {}

    /** Reads or writes. */
    @FunctionalInterface
    public interface Work<T> {
        /**
         * Does it.
         *
         * @return what was read
         * @throws IOException if the operating system fails
         */
        T run() throws IOException;
    }

    /**
     * Reads or writes a file; a failure names it.
     *
     * @param <T> what is read
     * @param file the file
     * @param work reads or writes it
     * @return what {@code work} gives
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
     * @param failure what the operating system said
     * @return {@code failure} if it names the file already, or else one that does and has it as its cause
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
