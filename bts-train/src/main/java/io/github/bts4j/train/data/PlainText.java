package io.github.bts4j.train.data;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Plain text in UTF-8: one file is one document.
 *
 * @param path a file, or a folder whose files are read in the order of their paths, sub-folders too; hidden files are
 *     passed over
 */
public record PlainText(Path path) implements TextSource {

    private static final long MAX_BYTES = Integer.MAX_VALUE - 8L;

    /**
     * Checks that there is a path.
     *
     * @param path a file
     */
    public PlainText {
        Objects.requireNonNull(path, "path");
    }

    @Override
    public Stream<Document> documents() {
        return DocumentReader.stream(path, new Reader(DocumentReader.files(path, "").iterator()));
    }

    private static Optional<Document> read(Path file) throws IOException {
        long size = Files.size(file);
        if (size > MAX_BYTES) {
            throw new IllegalArgumentException("Text file " + file + " has " + size + " bytes, one document may have "
                    + MAX_BYTES + ": split it into several files");
        }
        try {
            String text = Utf8.decode(Utf8.withoutMark(Files.readAllBytes(file)));
            return text.isEmpty() ? Optional.empty() : Optional.of(new Document(text, file.toString()));
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(
                    "Text file " + file + " has " + e.getMessage() + ": convert it to UTF-8", e);
        }
    }

    private record Reader(Iterator<Path> files) implements DocumentReader {

        @Override
        public Optional<Document> next() throws IOException {
            while (files.hasNext()) {
                Optional<Document> document = read(files.next());
                if (document.isPresent()) {
                    return document;
                }
            }
            return Optional.empty();
        }

        @Override
        public void close() {
            // every file is closed as soon as it is read
        }
    }
}
