package io.github.bts4j.train.data;

import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Documents on disk, read one at a time, so that a source may be larger than memory: {@link JsonLines}, {@link PlainText}, or another source based on
 * {@link DocumentReader}. Files compressed with gzip or Zstandard are decompressed. {@link TextKind} detects the kind of a file. Sources are immutable; every call of {@link #documents()} starts a new
 * pass, and passes are independent of each other.
 */
public interface TextSource {

    /** {@return the location of the text: a file or a folder} */
    Path path();

    /**
     * Opens one pass over the documents, in a fixed order: files by path, lines from top to bottom. Documents with an
     * empty text are skipped. Text must be valid UTF-8; a byte order mark at the start of a file is dropped.
     *
     * @return a sequential stream; the caller closes it (try-with-resources), which closes the open file. While it is
     *     read it throws {@link io.github.bts4j.core.DataException}, which names the file, for text that cannot be used, for a source without any
     *     document, and when reading fails, then with the {@link java.io.IOException} as its cause
     * @throws io.github.bts4j.core.DataException if the path does not exist
     */
    Stream<Document> documents();

    /**
     * Identifies the documents and their order by content: used by caches. Reads every file once.
     *
     * @return SHA-256 over the settings, and every file's name below {@link #path()} and bytes, in lower-case hexadecimal
     * @throws io.github.bts4j.core.DataException if the path does not exist, or a file cannot be read
     */
    String identity();

    /**
     * The same documents, shuffled within a window as they pass, for sources whose order is not random: a document of the buffer is drawn and replaced by the
     * next one.
     *
     * @param window size of the buffer, 2 or more; a document moves forward by less than this
     * @param seed seed of the order
     * @return the shuffled source
     * @throws IllegalArgumentException if {@code window} is less than 2
     */
    default TextSource shuffled(int window, long seed) {
        return new ShuffledSource(this, window, seed);
    }

    /**
     * JSON lines with the text in the field {@code text}; the first bad line is an error.
     *
     * @param path a file, or a folder whose files of {@link TextKind#JSON_LINES} are read
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
