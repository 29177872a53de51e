package io.github.bts4j.train.data;

import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Documents on disk, read one at a time: {@link JsonLines} or {@link PlainText}. Sources are immutable; every call of
 * {@link #documents()} starts a new pass, and passes are independent of each other.
 */
public sealed interface TextSource permits JsonLines, PlainText {

    /**
     * Where the text lies.
     *
     * @return a file or a folder
     */
    Path path();

    /**
     * Opens one pass over the documents, in a fixed order: files by path, lines from top to bottom. Documents with an
     * empty text are left out. Text must be valid UTF-8; a byte order mark at the start of a file is dropped.
     *
     * @return a sequential stream; the caller closes it (try-with-resources), which closes the open file. While it is
     *     read it throws {@link IllegalArgumentException} for text that cannot be used and for a source without any
     *     document, and {@link java.io.UncheckedIOException} when reading fails, each naming the file
     * @throws IllegalArgumentException if the path does not exist
     */
    Stream<Document> documents();

    /**
     * JSON lines with the text in the field {@code text}; the first bad line is an error.
     *
     * @param path a file, or a folder whose {@code .jsonl} files are read
     * @return the source
     */
    static TextSource jsonLines(Path path) {
        return new JsonLines(path);
    }

    /**
     * Plain text: one file is one document.
     *
     * @param path a file, or a folder whose files are read, sub-folders too
     * @return the source
     */
    static TextSource plainText(Path path) {
        return new PlainText(path);
    }
}
