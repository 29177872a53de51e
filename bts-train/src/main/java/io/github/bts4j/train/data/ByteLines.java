package io.github.bts4j.train.data;

import io.github.bts4j.core.DataException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;

/** The lines of a file as bytes, so that a line with a broken encoding can be reported and skipped. Lines end with LF. */
final class ByteLines implements AutoCloseable {

    /** The longest line, and its limit as a share of the heap: decoding needs several copies of it. */
    private static final int MAX_LINE_BYTES = 64 << 20;
    private static final int HEAP_SHARE = 12;

    private static final int BUFFER_BYTES = 1 << 16;

    private final Path file;
    private final InputStream in;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private int position;
    private int limit;
    private long number;

    ByteLines(Path file) throws IOException {
        this.file = file;
        this.in = TextFiles.open(file);
    }

    /** The next line without its line end, or empty at the end of the file. */
    Optional<byte[]> next() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        boolean found = false;
        while (position < limit || fill()) {
            found = true;
            int end = position;
            while (end < limit && buffer[end] != '\n') {
                end++;
            }
            if (line.size() + (end - position) > MAX_LINE_BYTES) {
                throw new DataException(file, file + ":" + (number + 1) + ": the line is longer than " + MAX_LINE_BYTES + " bytes (64 MiB), the limit: divide it into several documents");
            }
            if (line.size() + (end - position) > Runtime.getRuntime().maxMemory() / HEAP_SHARE) {
                throw new DataException(file, file + ":" + (number + 1) + ": the line is longer than " + Runtime.getRuntime().maxMemory() / HEAP_SHARE + " bytes, the limit with a heap of "
                        + (Runtime.getRuntime().maxMemory() >> 20) + " MiB: divide it into several documents, or give the JVM more heap (BTS_HEAP, -Xmx)");
            }
            line.write(buffer, position, end - position);
            position = end + 1;
            if (end < limit) {
                break;
            }
        }
        if (!found) {
            return Optional.empty();
        }
        number++;
        return Optional.of(number == 1 ? Utf8.withoutMark(line.toByteArray()) : line.toByteArray());
    }

    Path file() {
        return file;
    }

    /** The position of the last line that was read, {@code file:line}, counted from 1. */
    String origin() {
        return file + ":" + number;
    }

    private boolean fill() throws IOException {
        limit = in.read(buffer);
        position = 0;
        return limit > 0;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
