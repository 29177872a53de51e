package io.github.bts4j.train.data;

import io.github.bts4j.core.DataException;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.support.Interrupts;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators.AbstractSpliterator;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** One pass over the documents of a source, the building block of a new kind of {@link TextSource}. Not thread-safe. */
public interface DocumentReader extends Closeable {

    /**
     * Reads the next document.
     *
     * @return the next document, or empty at the end
     * @throws IOException if reading fails
     */
    Optional<Document> next() throws IOException;

    /**
     * The files of a source in reading order. Hidden files, and files in hidden folders, are skipped.
     *
     * @param path a file of any name, or a folder
     * @param kind the kind of the files in a folder
     * @return the file itself, or the files of that kind below the folder, by path; for plain text, all files
     * @throws DataException if the path does not exist, a file is in an unsupported archive format, or the folder or a file cannot be read
     */
    static List<Path> files(Path path, TextKind kind) {
        requireExists(path);
        return kind.files(path);
    }

    /**
     * Refuses a path that does not exist.
     *
     * @param path a file or a folder
     * @throws DataException if it does not exist
     */
    static void requireExists(Path path) {
        if (!Files.exists(path)) {
            throw new DataException(path, "Text source " + path + " does not exist (absolute path " + path.toAbsolutePath().normalize() + ")");
        }
    }

    /**
     * Identifies a source by content, see {@link TextSource#identity()}.
     *
     * @param settings how the files are read
     * @param path the source's path
     * @param files the files in reading order
     * @return SHA-256 in lower-case hexadecimal
     * @throws DataException if a file cannot be read
     */
    static String identity(String settings, Path path, List<Path> files) {
        StringBuilder parts = new StringBuilder(settings);
        for (Path file : files) {
            Path name = file.equals(path) ? file.getFileName() : path.relativize(file);
            parts.append('\n').append(name).append('\n').append(hash(path, file));
        }
        return Hashes.sha256(parts.toString());
    }

    /**
     * The pass as a stream that fails if there is no document. {@link IOException}s are wrapped in {@link DataException}s.
     *
     * @param path the source's path, for messages
     * @param reader the pass
     * @return a sequential stream, whose closing closes the reader
     */
    static Stream<Document> stream(Path path, DocumentReader reader) {
        Spliterator<Document> documents = new AbstractSpliterator<>(
                Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.IMMUTABLE) {
            private boolean empty = true;

            @Override
            public boolean tryAdvance(Consumer<? super Document> action) {
                Optional<Document> next = read(path, reader);
                next.ifPresent(action);
                if (next.isEmpty() && empty) {
                    throw new DataException(path, "Text source " + path + " has no documents");
                }
                empty = false;
                return next.isPresent();
            }
        };
        return StreamSupport.stream(documents, false).onClose(() -> close(path, reader));
    }

    private static Optional<Document> read(Path path, DocumentReader reader) {
        try {
            return reader.next();
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }

    private static void close(Path path, DocumentReader reader) {
        try {
            reader.close();
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }

    private static String hash(Path path, Path file) {
        try {
            return ModelFingerprint.sha256(file);
        } catch (ModelFormatException e) {
            throw new DataException(path, "Text source " + path + " cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * The exception for a source that the operating system cannot read.
     *
     * @param path the source's path
     * @param failure the error of the operating system
     * @return the exception to throw, with the failure as its cause
     * @throws java.io.UncheckedIOException if the thread was interrupted
     */
    static DataException unreadable(Path path, IOException failure) {
        Interrupts.rethrow(path, failure);
        String why = failure instanceof AccessDeniedException denied ? denied.getFile() + ": permission denied; check its owner and permissions"
                : failure instanceof NoSuchFileException missing ? missing.getFile() + " no longer exists"
                : String.valueOf(failure.getMessage());
        return new DataException(path, "Text source " + path + " cannot be read: " + (why.startsWith(path + ": ") ? why.substring(path.toString().length() + 2) : why), failure);
    }
}
