package io.github.bts4j.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.DataException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * JSON lines of conversations, one per line: {@code messages}, or {@code prompt} and {@code completion}; a document is the JSON of a line, for a {@link ChatEncoder}.
 * See {@link ChatRow} for the fields. A line is bad when it is not valid UTF-8, not one JSON object, or no conversation.
 *
 * @param path a file, or a folder whose files of {@link TextKind#JSON_LINES} (also {@code .gz} and {@code .zst}) are read in the order of their paths, including sub-folders
 * @param maxBadLines bad lines that one pass may skip with a logged warning; 0 for none
 */
public record ChatLines(Path path, int maxBadLines) implements TextSource {

    /**
     * Checks the values.
     *
     * @param path a file or a folder
     * @param maxBadLines bad lines that one pass may skip with a logged warning
     * @throws IllegalArgumentException if {@code maxBadLines} is negative
     */
    public ChatLines {
        Objects.requireNonNull(path, "path");
        if (maxBadLines < 0) {
            throw new IllegalArgumentException("maxBadLines = " + maxBadLines + " must not be negative");
        }
    }

    /**
     * Accepts no bad line.
     *
     * @param path a file or a folder
     */
    public ChatLines(Path path) {
        this(path, 0);
    }

    /**
     * Whether JSON lines hold conversations, by the fields of the first one that is an object; false if there is none.
     *
     * @param path a file or a folder of {@link TextKind#JSON_LINES}
     * @param textField name of the field that holds the text of other documents; a row that has it is text
     * @return true for {@code messages}, or {@code prompt} and {@code completion}
     * @throws DataException if the source cannot be read
     */
    public static boolean areIn(Path path, String textField) {
        JsonLinesReader.Row fields = (object, line) -> names(object).toString();
        List<Path> files = DocumentReader.files(path, TextKind.JSON_LINES);
        try {
            Optional<Document> first = new JsonLinesReader(path, Integer.MAX_VALUE, files, fields).first();
            Set<String> names = Set.of(first.map(Document::text).orElse("").split("[\\[\\], ]+"));
            return ChatRow.isConversation(names) && !names.contains(textField);
        } catch (IOException e) {
            throw DocumentReader.unreadable(path, e);
        }
    }

    private static Set<String> names(JsonNode object) {
        Set<String> names = new TreeSet<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    @Override
    public Stream<Document> documents() {
        JsonLinesReader.Row row = (object, line) -> {
            ChatRow.of(object);
            return line;
        };
        return DocumentReader.stream(path, new JsonLinesReader(path, maxBadLines, DocumentReader.files(path, TextKind.JSON_LINES), row));
    }

    @Override
    public String identity() {
        return DocumentReader.identity("JSON lines of conversations, bad lines " + maxBadLines, path, DocumentReader.files(path, TextKind.JSON_LINES));
    }
}
