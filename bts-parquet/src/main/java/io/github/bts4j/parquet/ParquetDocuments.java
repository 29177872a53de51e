package io.github.bts4j.parquet;

import io.github.bts4j.core.DataException;
import io.github.bts4j.core.support.Interrupts;
import io.github.bts4j.train.data.Document;
import io.github.bts4j.train.data.DocumentReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.MessageColumnIO;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;

/** One pass over the rows of Parquet files. */
final class ParquetDocuments implements DocumentReader {
    private final Columns columns;
    private final Iterator<Path> files;
    private Optional<OpenFile> open = Optional.empty();

    /** Which columns of a file are read, and what a row of them is as a document: its text, empty for none. */
    interface Columns {
        List<Type> of(Path file, MessageType schema);

        String text(Path file, Group row, String where);
    }

    ParquetDocuments(Columns columns, List<Path> files) {
        this.columns = columns;
        this.files = files.iterator();
    }

    @Override
    public Optional<Document> next() throws IOException {
        while (open.isPresent() || files.hasNext()) {
            if (open.isEmpty()) {
                open = Optional.of(OpenFile.of(files.next(), columns));
            }
            Optional<Document> document = open.get().next();
            if (document.isPresent()) {
                return document;
            }
            close();
        }
        return Optional.empty();
    }

    @Override
    public void close() throws IOException {
        if (open.isPresent()) {
            OpenFile file = open.get();
            open = Optional.empty();
            file.reader.close();
        }
    }

    private static final class OpenFile {
        private final Path file;
        private final Columns wanted;
        private final ParquetFileReader reader;
        private final MessageColumnIO columns;
        private final MessageType schema;
        private Optional<RecordReader<Group>> rows = Optional.empty();
        private long left;
        private long number;

        private OpenFile(Path file, Columns wanted, ParquetFileReader reader, MessageType schema) {
            this.file = file;
            this.wanted = wanted;
            this.reader = reader;
            this.schema = schema;
            this.columns = new ColumnIOFactory().getColumnIO(schema);
        }

        static OpenFile of(Path file, Columns columns) throws IOException {
            ParquetFileReader reader = open(file);
            try {
                MessageType all = reader.getFileMetaData().getSchema();
                MessageType wanted = new MessageType(all.getName(), columns.of(file, all));
                reader.setRequestedSchema(wanted);
                return new OpenFile(file, columns, reader, wanted);
            } catch (RuntimeException e) {
                reader.close();
                throw e instanceof DataException ? e : damaged(file, "in its schema", e);
            }
        }

        Optional<Document> next() throws IOException {
            while (left > 0 || nextGroup()) {
                left--;
                number++;
                String text;
                try {
                    text = wanted.text(file, rows.orElseThrow().read(), "row " + number);
                } catch (DataException e) {
                    throw e;
                } catch (RuntimeException | OutOfMemoryError e) { // lengths in a damaged page can be any number
                    throw damaged(file, "at row " + number, e);
                }
                if (!text.isEmpty()) {
                    return Optional.of(new Document(text, file + ":" + number));
                }
            }
            return Optional.empty();
        }

        private boolean nextGroup() throws IOException {
            try {
                PageReadStore pages = reader.readNextRowGroup();
                if (pages == null) {
                    return false;
                }
                left = pages.getRowCount();
                rows = Optional.of(columns.getRecordReader(pages, new GroupRecordConverter(schema)));
            } catch (IOException | RuntimeException | OutOfMemoryError e) {
                throw damaged(file, "after row " + number, e);
            }
            return left > 0;
        }

        private static DataException damaged(Path file, String where, Throwable cause) {
            Interrupts.rethrow(file, cause);
            return new DataException(file, file + " is damaged " + where + ": " + (cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage()) + ": download it again", cause);
        }
    }

    private static ParquetFileReader open(Path file) throws IOException {
        try {
            return ParquetFileReader.open(new LocalInputFile(file), ParquetReadOptions.builder(new PlainParquetConfiguration()).withCodecFactory(new Codecs()).build());
        } catch (FileNotFoundException e) { // or one that may not be read
            throw e;
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            throw new DataException(file, file + " is not a Parquet file, or is damaged: " + (e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage()) + ": fetch it again", e);
        }
    }

    /** The names of a file's columns. */
    static List<String> columns(Path file) {
        try (ParquetFileReader reader = open(file)) {
            return reader.getFileMetaData().getSchema().getFields().stream().map(Type::getName).toList();
        } catch (IOException e) {
            throw DocumentReader.unreadable(file, e);
        }
    }

    /** Bytes of UTF-8. */
    static String decode(Path file, String column, ByteBuffer bytes, String where) {
        try {
            return StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw new DataException(file, "Column '" + column + "' of Parquet file " + file + " is not UTF-8 at " + where + ": convert it", e);
        }
    }

    /** One column of strings. */
    record TextColumn(String column) implements Columns {
        @Override
        public List<Type> of(Path file, MessageType schema) {
            if (!schema.containsField(column)) {
                throw new DataException(file, "Parquet file " + file + " has no column '" + column + "' (columns: "
                        + schema.getFields().stream().map(Type::getName).collect(Collectors.joining(", ")) + ")");
            }
            Type type = schema.getType(column);
            boolean bytes = type.isPrimitive() && !type.isRepetition(Type.Repetition.REPEATED)
                    && type.asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.BINARY;
            LogicalTypeAnnotation meaning = type.getLogicalTypeAnnotation();
            if (!bytes || meaning != null && !meaning.equals(LogicalTypeAnnotation.stringType())) {
                throw new DataException(file, "Column '" + column + "' of Parquet file " + file + " is '" + type + "', not a column of strings");
            }
            return List.of(type);
        }

        @Override
        public String text(Path file, Group row, String where) {
            return row.getFieldRepetitionCount(0) > 0 ? decode(file, column, row.getBinary(0, 0).toByteBuffer(), where) : "";
        }
    }
}
