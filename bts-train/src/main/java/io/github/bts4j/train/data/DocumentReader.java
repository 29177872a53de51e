package io.github.bts4j.train.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators.AbstractSpliterator;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** One pass over the documents of a source. */
interface DocumentReader {

    /** The next document, or nothing at the end. */
    Optional<Document> next() throws IOException;

    /** Closes the file that is open. */
    void close() throws IOException;

    /** The files of a source in reading order: the file itself, or the files below a folder whose names end so. */
    static List<Path> files(Path path, String ending) {
        if (!Files.exists(path)) {
            throw new IllegalArgumentException("Text source " + path + " does not exist (absolute path "
                    + path.toAbsolutePath().normalize() + ")");
        }
        if (!Files.isDirectory(path)) {
            return List.of(path);
        }
        try (Stream<Path> walk = Files.walk(path)) {
            return walk.filter(Files::isRegularFile)
                    .filter(file -> file.getFileName().toString().endsWith(ending))
                    .filter(file -> !file.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot list text source " + path + ": " + e.getMessage(), e);
        }
    }

    /** The pass as a stream that fails when it ends without a single document. */
    static Stream<Document> stream(Path path, DocumentReader reader) {
        Spliterator<Document> documents = new AbstractSpliterator<>(
                Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.IMMUTABLE) {
            private boolean empty = true;

            @Override
            public boolean tryAdvance(Consumer<? super Document> action) {
                Optional<Document> next = read(path, reader);
                next.ifPresent(action);
                if (next.isEmpty() && empty) {
                    throw new IllegalArgumentException("Text source " + path + " holds no text: no document was found");
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
            throw new UncheckedIOException("Cannot read text source " + path + ": " + e, e);
        }
    }

    private static void close(Path path, DocumentReader reader) {
        try {
            reader.close();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot close text source " + path + ": " + e, e);
        }
    }
}
