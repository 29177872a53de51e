package io.github.bts4j.parquet;

import io.github.bts4j.core.DataException;
import io.github.bts4j.train.data.ChatRow;
import io.github.bts4j.train.data.Document;
import io.github.bts4j.train.data.DocumentReader;
import io.github.bts4j.train.data.TextKind;
import io.github.bts4j.train.data.TextSource;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;

/**
 * Apache Parquet files with one conversation per row, in the columns that {@link ChatRow} names: lists of structs, as the Python package datasets writes them. A
 * document is a row as JSON, for a {@link io.github.bts4j.train.data.ChatEncoder}; fields that are null are left out, and so are rows without messages.
 *
 * @param path a file, or a folder whose Parquet files are read in the order of their paths, including sub-folders
 */
public record ParquetChat(Path path) implements TextSource {
    private static final List<String> COLUMNS = List.of("messages", "prompt", "completion", "tools", "chat_template_kwargs");

    /**
     * Checks the value.
     *
     * @param path a file or a folder
     */
    public ParquetChat {
        Objects.requireNonNull(path, "path");
    }

    /**
     * Whether Parquet files hold conversations, by the columns of the first one.
     *
     * @param path a file or a folder
     * @param textColumn name of the column that holds the text of other documents; where it is there, rows are text
     * @return true for {@code messages}, or {@code prompt} and {@code completion}
     * @throws DataException if the file cannot be read
     */
    public static boolean isIn(Path path, String textColumn) {
        List<String> columns = DocumentReader.files(path, TextKind.PARQUET).stream().findFirst().map(ParquetDocuments::columns).orElse(List.of());
        return ChatRow.isConversation(columns) && !columns.contains(textColumn);
    }

    @Override
    public Stream<Document> documents() {
        return DocumentReader.stream(path, new ParquetDocuments(new Rows(), DocumentReader.files(path, TextKind.PARQUET)));
    }

    @Override
    public String identity() {
        return DocumentReader.identity("Parquet, conversations", path, DocumentReader.files(path, TextKind.PARQUET));
    }

    private record Rows() implements ParquetDocuments.Columns {
        @Override
        public List<Type> of(Path file, MessageType schema) {
            List<String> names = schema.getFields().stream().map(Type::getName).toList();
            if (!ChatRow.isConversation(names)) {
                throw new DataException(file, "Parquet file " + file + " has neither a column 'messages' nor 'prompt' and 'completion' (columns: "
                        + names.stream().collect(Collectors.joining(", ")) + ")");
            }
            return schema.getFields().stream().filter(type -> COLUMNS.contains(type.getName())).toList();
        }

        @Override
        public String text(Path file, Group row, String where) {
            String json = new RowJson(file, where).of(row);
            try {
                ChatRow.parse(json);
            } catch (IllegalArgumentException e) {
                throw new DataException(file, file + ": " + where + ": " + e.getMessage(), e);
            }
            return json;
        }
    }
}
