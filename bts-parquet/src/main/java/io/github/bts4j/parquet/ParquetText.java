package io.github.bts4j.parquet;

import io.github.bts4j.train.data.Document;
import io.github.bts4j.train.data.DocumentReader;
import io.github.bts4j.train.data.TextKind;
import io.github.bts4j.train.data.TextSource;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Apache Parquet files with one document per row. Only the text column is read, a row group at a time. Rows whose text is null or empty are
 * skipped. Compression: none, Snappy, gzip and Zstandard.
 *
 * @param path a file, or a folder whose Parquet files are read in the order of their paths, including sub-folders
 * @param column name of the top-level column that holds the text, a string or UTF-8 bytes
 */
public record ParquetText(Path path, String column) implements TextSource {
    /** The default name of the text column. */
    public static final String DEFAULT_COLUMN = "text";

    /**
     * Checks the values.
     *
     * @param path a file or a folder
     * @param column name of the column
     * @throws IllegalArgumentException if {@code column} is blank
     */
    public ParquetText {
        Objects.requireNonNull(path, "path");
        if (column.isBlank()) {
            throw new IllegalArgumentException("column = '" + column + "' must name the column that holds the text");
        }
    }

    /**
     * Reads the column {@value #DEFAULT_COLUMN}.
     *
     * @param path a file or a folder
     */
    public ParquetText(Path path) {
        this(path, DEFAULT_COLUMN);
    }

    @Override
    public Stream<Document> documents() {
        return DocumentReader.stream(path, new ParquetDocuments(new ParquetDocuments.TextColumn(column), DocumentReader.files(path, TextKind.PARQUET)));
    }

    @Override
    public String identity() {
        return DocumentReader.identity("Parquet, column " + column, path, DocumentReader.files(path, TextKind.PARQUET));
    }
}
