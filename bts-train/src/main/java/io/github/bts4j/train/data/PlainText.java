package io.github.bts4j.train.data;

import io.github.bts4j.core.DataException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Plain text in UTF-8: one file is one document or, with a separator, several documents between separator lines.
 *
 * @param path a file, or a folder whose files are read in the order of their paths, including sub-folders; hidden files are
 *     skipped
 * @param separator a line that ends a document and is not part of it; empty for documents that end at empty lines
 */
public record PlainText(Path path, Optional<String> separator) implements TextSource {

    private static final int MAX_BYTES = Integer.MAX_VALUE - 8;
    /** The limit of one document as a share of the heap: decoding needs several copies of it. */
    private static final int HEAP_SHARE = 8;

    /**
     * Checks that there is a path.
     *
     * @param path a file
     * @param separator a line that ends a document
     * @throws IllegalArgumentException if the separator is more than one line
     */
    public PlainText {
        Objects.requireNonNull(path, "path");
        if (separator.isPresent() && separator.get().indexOf('\n') >= 0) {
            throw new IllegalArgumentException("separator = '" + separator.get() + "' must be one line, without its end");
        }
    }

    /**
     * One file is one document.
     *
     * @param path a file or a folder
     */
    public PlainText(Path path) {
        this(path, Optional.empty());
    }

    /**
     * The same files, divided into documents by separator lines. Use this for files larger than memory.
     *
     * @param newSeparator a line that ends a document, such as {@code <|endoftext|>}; the empty text for empty lines
     * @return a new source
     * @throws IllegalArgumentException if the separator is more than one line
     */
    public PlainText separatedBy(String newSeparator) {
        return new PlainText(path, Optional.of(newSeparator));
    }

    @Override
    public Stream<Document> documents() {
        Iterator<Path> files = DocumentReader.files(path, TextKind.PLAIN_TEXT).iterator();
        return DocumentReader.stream(path, separator.isPresent() ? new Parts(files, separator.get().getBytes(StandardCharsets.UTF_8)) : new Whole(files));
    }

    @Override
    public String identity() {
        return DocumentReader.identity("plain text" + separator.map(line -> ", separated by " + line).orElse(""), path, DocumentReader.files(path, TextKind.PLAIN_TEXT));
    }

    private static int most() {
        return (int) Math.min(MAX_BYTES, Runtime.getRuntime().maxMemory() / HEAP_SHARE);
    }

    private static Optional<Document> document(Path file, byte[] bytes, String origin) {
        try {
            String text = Utf8.decode(bytes);
            return text.isEmpty() ? Optional.empty() : Optional.of(new Document(text, origin));
        } catch (CharacterCodingException e) {
            throw new DataException(file, "Text file " + origin + " has " + e.getMessage() + ": convert it to UTF-8", e);
        }
    }

    private record Whole(Iterator<Path> files) implements DocumentReader {

        @Override
        public Optional<Document> next() throws IOException {
            while (files.hasNext()) {
                Path file = files.next();
                Optional<Document> document = document(file, Utf8.withoutMark(bytes(file)), file.toString());
                if (document.isPresent()) {
                    return document;
                }
            }
            return Optional.empty();
        }

        private static byte[] bytes(Path file) throws IOException {
            try (InputStream in = TextFiles.open(file)) {
                byte[] bytes = in.readNBytes(most());
                if (in.read() >= 0) {
                    throw new DataException(file, "Text file " + file + " has more than the " + most() + " bytes that one document may have with a heap of "
                            + (Runtime.getRuntime().maxMemory() >> 20) + " MiB: split it into several files, name the line that separates its documents, or give the JVM more heap (BTS_HEAP, -Xmx)");
                }
                return bytes;
            }
        }

        @Override
        public void close() {
            // every file is closed as soon as it is read
        }
    }

    /** Reads documents between separators. The end of a file ends its last document. */
    private static final class Parts implements DocumentReader {
        private final Iterator<Path> files;
        private final byte[] separator;
        private Optional<ByteLines> open = Optional.empty();

        Parts(Iterator<Path> files, byte[] separator) {
            this.files = files;
            this.separator = separator;
        }

        @Override
        public Optional<Document> next() throws IOException {
            while (open.isPresent() || files.hasNext()) {
                if (open.isEmpty()) {
                    open = Optional.of(new ByteLines(files.next()));
                }
                Optional<Document> document = part(open.get());
                if (document.isPresent()) {
                    return document;
                }
            }
            return Optional.empty();
        }

        private Optional<Document> part(ByteLines lines) throws IOException {
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            String origin = "";
            for (Optional<byte[]> line = lines.next(); line.isPresent(); line = lines.next()) {
                if (isSeparator(line.get())) {
                    return document(lines.file(), text.toByteArray(), origin);
                }
                if (text.size() == 0) {
                    origin = lines.origin();
                } else if (text.size() > most() - 1 - line.get().length) {
                    throw new DataException(lines.file(), "The document that begins at " + origin + " has more than " + most()
                            + " bytes: is '" + new String(separator, StandardCharsets.UTF_8) + "' the line that separates documents?");
                }
                text.write(line.get());
                text.write('\n');
            }
            close();
            return document(lines.file(), text.toByteArray(), origin);
        }

        private boolean isSeparator(byte[] line) {
            int length = line.length > 0 && line[line.length - 1] == '\r' ? line.length - 1 : line.length;
            return Arrays.equals(line, 0, length, separator, 0, separator.length);
        }

        @Override
        public void close() throws IOException {
            if (open.isPresent()) {
                ByteLines lines = open.get();
                open = Optional.empty();
                lines.close();
            }
        }
    }

}
