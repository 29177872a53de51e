package io.github.bts4j.train.data;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.airlift.compress.zstd.ZstdInputStream;
import io.github.bts4j.core.DataException;
import io.github.bts4j.core.support.FileErrors;
import io.github.bts4j.core.support.Interrupts;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPInputStream;

/** Text files on disk, plain or compressed, which is detected from their first bytes. */
final class TextFiles {
    private static final int BUFFER_BYTES = 1 << 16;
    /** The length of the longest magic number. */
    private static final int MAGIC_BYTES = 8;
    private static final byte[] GZIP = {0x1f, (byte) 0x8b};
    private static final byte[] ZSTD = {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd};
    private static final List<String> COMPRESSED = List.of(".gz", ".zst", ".zstd");

    private TextFiles() {
    }

    /**
     * The bytes of a file, decompressed if it is gzip or Zstandard.
     *
     * @throws IOException naming the file, where the operating system fails, also while the stream is read
     * @throws DataException naming the file, if it is damaged, also while the stream is read
     */
    static InputStream open(Path file) throws IOException {
        throwIf(Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file),
                () -> new DataException(file, file + " is a pipe or a device, and a text is read more than once: write it to a file first"));
        InputStream raw = new BufferedInputStream(new Raw(file, FileErrors.named(file, () -> Files.newInputStream(file))), BUFFER_BYTES);
        try {
            raw.mark(MAGIC_BYTES);
            byte[] magic = raw.readNBytes(MAGIC_BYTES);
            raw.reset();
            String name = name(file);
            if (begins(magic, GZIP)) {
                return new Named(file, "gzip", new GZIPInputStream(raw, BUFFER_BYTES));
            }
            if (begins(magic, ZSTD)) {
                return new Named(file, "Zstandard", new ZstdInputStream(raw));
            }
            if (COMPRESSED.stream().anyMatch(name::endsWith)) {
                throw new DataException(file, file + " is named as a compressed file, but its content is not " + (name.endsWith(".gz") ? "gzip" : "Zstandard")
                        + ": correct its name, or download it again");
            }
            return raw;
        } catch (IOException | RuntimeException e) {
            raw.close();
            if (e instanceof FileSystemException || e instanceof DataException || Interrupts.caused(e)) {
                throw e;
            }
            throw new DataException(file, file + " is damaged: " + e.getMessage() + ": download it again", e); // a header of gzip that is cut
        }
    }

    static boolean begins(byte[] bytes, byte[] with) {
        return bytes.length >= with.length && java.util.Arrays.equals(bytes, 0, with.length, with, 0, with.length);
    }

    /** A file's name in lower case. */
    static String name(Path file) {
        return file.getFileName().toString().toLowerCase(Locale.ROOT);
    }

    /** A file's name in lower case, without the suffix of its compression. */
    static String plainName(Path file) {
        String name = name(file);
        for (String compressed : COMPRESSED) {
            if (name.endsWith(compressed)) {
                return name.substring(0, name.length() - compressed.length());
            }
        }
        return name;
    }

    /** A file's raw bytes; errors of the operating system name it. */
    private static final class Raw extends FilterInputStream {
        private final Path file;

        Raw(Path file, InputStream in) {
            super(in);
            this.file = file;
        }

        @Override
        public int read() throws IOException {
            return FileErrors.named(file, in::read);
        }

        @Override
        public int read(byte[] into, int from, int length) throws IOException {
            return FileErrors.named(file, () -> in.read(into, from, length));
        }
    }

    /** A decompressed stream whose errors name the file and the position. */
    private static final class Named extends FilterInputStream {
        private final Path file;
        private final String format;
        private long bytes;

        Named(Path file, String format, InputStream in) {
            super(in);
            this.file = file;
            this.format = format;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int from, int length) throws IOException {
            try {
                int read = in.read(into, from, length);
                bytes += Math.max(0, read);
                return read;
            } catch (IOException | RuntimeException e) {
                boolean window = String.valueOf(e.getMessage()).contains("indow");
                if (e instanceof FileSystemException || Interrupts.caused(e)) {
                    throw e;
                }
                throw new DataException(file, file + " cannot be decompressed (" + format + ") after " + bytes + " bytes of text: " + e.getMessage() + (window
                        ? ": compress it with a window of at most 8 MiB, that is, without zstd's options --long and --ultra" : ": the file is damaged or truncated, download it again"), e);
            }
        }
    }
}
