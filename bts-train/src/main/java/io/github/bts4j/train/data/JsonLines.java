package io.github.bts4j.train.data;

import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * JSON lines: one JSON object per line, one document per object. Blank lines are skipped. A line is bad if it is
 * not valid UTF-8, not one JSON object, or its field is missing, not a string, or not valid Unicode text.
 *
 * @param path a file, or a folder whose files of {@link TextKind#JSON_LINES} (also {@code .gz} and {@code .zst}) are read in the order of their paths, including sub-folders
 * @param field name of the field that holds the text
 * @param maxBadLines bad lines that one pass may skip with a logged warning; 0 for none
 */
public record JsonLines(Path path, String field, int maxBadLines) implements TextSource {

    /** The default name of the text field. */
    public static final String DEFAULT_FIELD = "text";

    /**
     * Checks the values.
     *
     * @param path a file
     * @param field name of the field that holds the text
     * @param maxBadLines bad lines that one pass may skip with a logged warning
     * @throws IllegalArgumentException if {@code field} is blank or {@code maxBadLines} is negative
     */
    public JsonLines {
        Objects.requireNonNull(path, "path");
        if (field.isBlank()) {
            throw new IllegalArgumentException("field = '" + field + "' must name the JSON field that holds the text");
        }
        if (maxBadLines < 0) {
            throw new IllegalArgumentException("maxBadLines = " + maxBadLines + " must not be negative");
        }
    }

    /**
     * Reads the field {@value #DEFAULT_FIELD} and accepts no bad lines.
     *
     * @param path a file or a folder
     */
    public JsonLines(Path path) {
        this(path, DEFAULT_FIELD, 0);
    }

    /**
     * A copy of this source with the text in another field.
     *
     * @param newField name of the field that holds the text
     * @return a new source
     * @throws IllegalArgumentException if {@code newField} is blank
     */
    public JsonLines withField(String newField) {
        return new JsonLines(path, newField, maxBadLines);
    }

    /**
     * A copy of this source with another limit on bad lines.
     *
     * @param newMaxBadLines bad lines that one pass may skip
     * @return a new source
     * @throws IllegalArgumentException if {@code newMaxBadLines} is negative
     */
    public JsonLines withMaxBadLines(int newMaxBadLines) {
        return new JsonLines(path, field, newMaxBadLines);
    }

    @Override
    public Stream<Document> documents() {
        return DocumentReader.stream(path, new JsonLinesReader(path, maxBadLines, DocumentReader.files(path, TextKind.JSON_LINES), JsonLinesReader.field(field)));
    }

    @Override
    public String identity() {
        return DocumentReader.identity("JSON lines, field " + field + ", bad lines " + maxBadLines, path, DocumentReader.files(path, TextKind.JSON_LINES));
    }
}
