package io.github.bts4j.train.metrics;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * An append-only text file. A row and its line end are one write, so that a killed run leaves at
 * most one incomplete row, at the end.
 */
final class RowLog implements AutoCloseable {

    /** The step of a row. */
    interface RowStep {
        /**
         * The step of a row, or {@link Long#MIN_VALUE} for one that belongs to the file as a whole.
         *
         * @throws IllegalArgumentException if the row cannot be read
         */
        long of(long lineNumber, String row);
    }

    private final Path path;
    private final FileChannel channel;

    private RowLog(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /** Creates a new file and its folder. A file with content is never overwritten. */
    static RowLog create(Path path) {
        try {
            if (Files.exists(path) && Files.size(path) > 0) {
                throw new IllegalArgumentException("Metrics file " + path
                        + " exists: resume the run that wrote it, or choose another folder");
            }
            return open(path);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot create metrics file " + path + ": " + e, e);
        }
    }

    /** Opens the file of an earlier run, without its rows after {@code lastStep} and without an incomplete row at its end. */
    static RowLog resume(Path path, long lastStep, RowStep steps) {
        if (lastStep < 0) {
            throw new IllegalArgumentException("lastStep = " + lastStep + " must not be negative");
        }
        try {
            if (Files.exists(path)) {
                long kept = keptBytes(path, lastStep, steps);
                try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
                    file.truncate(kept);
                }
            }
            return open(path);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot resume metrics file " + path + ": " + e, e);
        }
    }

    private static RowLog open(Path path) throws IOException {
        Files.createDirectories(path.toAbsolutePath().getParent());
        return new RowLog(path, FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
    }

    /** Rows are in the order of their steps, so everything from the first later row on is removed. */
    private static long keptBytes(Path path, long lastStep, RowStep steps) throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(path))) {
            ByteArrayOutputStream row = new ByteArrayOutputStream();
            long kept = 0;
            long lineNumber = 0;
            for (int b = in.read(); b >= 0; b = in.read()) {
                row.write(b);
                if (b != '\n') {
                    continue;
                }
                lineNumber++;
                if (step(path, steps, lineNumber, row.toString(StandardCharsets.UTF_8).stripTrailing()) > lastStep) {
                    break;
                }
                kept += row.size();
                row.reset();
            }
            return kept;
        }
    }

    private static long step(Path path, RowStep steps, long lineNumber, String row) {
        try {
            return steps.of(lineNumber, row);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("Cannot resume metrics file " + path + ", line " + lineNumber + ": "
                    + e.getMessage(), e);
        }
    }

    boolean isEmpty() {
        try {
            return channel.size() == 0;
        } catch (IOException e) {
            throw failed(e);
        }
    }

    void append(String row) {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(row + "\n");
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private UncheckedIOException failed(IOException e) {
        return new UncheckedIOException("Cannot write metrics file " + path + ": " + e, e);
    }
}
