package io.github.bts4j.train.data;

import io.github.bts4j.core.support.FileErrors;
import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Token ids in mapped files of equal numbers of tokens, little-endian, with two bytes per token if all ids of a file are below 2^16, else four. The mapped pages
 * belong to the page cache, not to the heap.
 */
final class TokenShards implements TokenStore {
    /** Tokens per file, except the last. */
    static final int SHARD_TOKENS = 1 << 24;

    private static final int SMALL = 1 << 16;

    private final Bytes bytes;
    private final int shardTokens;
    private final int[] width;
    private final int size;

    private TokenShards(Bytes bytes, int shardTokens, int[] width, int size) {
        this.bytes = bytes;
        this.shardTokens = shardTokens;
        this.width = width;
        this.size = size;
    }

    /** A part of a file. */
    private interface Bytes {
        ByteBuffer of(int shard, int from, int length);
    }

    static Path file(Path folder, int shard) {
        return folder.resolve(String.format(java.util.Locale.ROOT, "tokens-%05d.bin", shard));
    }

    /** Maps the files of a {@link Writer}. */
    static TokenShards map(Path folder, int size, int shardTokens) throws IOException {
        int[] width = widths(folder, size, shardTokens);
        List<ByteBuffer> shards = new ArrayList<>();
        for (int i = 0; i < width.length; i++) {
            try (FileChannel channel = FileChannel.open(file(folder, i), StandardOpenOption.READ)) {
                shards.add(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
            }
        }
        return new TokenShards((shard, from, length) -> shards.get(shard).slice(from, length), shardTokens, width, size);
    }

    /**
     * Reads the files on each access instead of mapping them: slower, but on Windows mapped files can be neither renamed nor deleted. {@link #copy} throws
     * {@link UncheckedIOException}s.
     */
    static TokenShards unmapped(Path folder, int size, int shardTokens) throws IOException {
        return new TokenShards((shard, from, length) -> read(file(folder, shard), from, length), shardTokens, widths(folder, size, shardTokens), size);
    }

    private static ByteBuffer read(Path file, int from, int length) {
        byte[] bytes = new byte[length];
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            in.seek(from);
            in.readFully(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return ByteBuffer.wrap(bytes);
    }

    /** Bytes per token of every file. */
    private static int[] widths(Path folder, int size, int shardTokens) throws IOException {
        long files = (size + (long) shardTokens - 1) / shardTokens;
        try (Stream<Path> entries = Files.list(folder)) {
            long there = entries.filter(entry -> entry.getFileName().toString().matches("tokens-\\d+\\.bin")).count();
            if (there != files) { // a damaged index may have any number
                throw new IOException(folder + " holds " + there + " files of tokens, not " + files);
            }
        }
        int[] width = new int[(int) files];
        for (int i = 0; i < width.length; i++) {
            int tokens = i + 1 < width.length ? shardTokens : size - i * shardTokens;
            long bytes = Files.size(file(folder, i));
            width[i] = bytes == (long) tokens * Short.BYTES ? Short.BYTES : Integer.BYTES;
            if (bytes != (long) tokens * width[i]) {
                throw new IOException(file(folder, i) + " has " + bytes + " bytes, not those of " + tokens + " tokens");
            }
        }
        return width;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public void copy(int from, int length, int[] into, int at) {
        for (int done = 0; done < length;) {
            int shard = (from + done) / shardTokens;
            int start = (from + done) % shardTokens;
            int part = Math.min(length - done, shardTokens - start);
            ByteBuffer ids = bytes.of(shard, start * width[shard], part * width[shard]).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < part; i++) {
                into[at + done + i] = width[shard] == Integer.BYTES ? ids.getInt() : Short.toUnsignedInt(ids.getShort());
            }
            done += part;
        }
    }

    /** Writes tokens, with at most one file's tokens in memory. */
    static final class Writer implements Closeable {
        private final Path folder;
        private final int[] tokens;
        private int held;
        private int written;

        Writer(Path folder, int shardTokens) {
            this.folder = folder;
            this.tokens = new int[shardTokens];
        }

        void add(int[] ids) throws IOException {
            for (int done = 0; done < ids.length;) {
                int part = Math.min(ids.length - done, tokens.length - held);
                System.arraycopy(ids, done, tokens, held, part);
                held += part;
                done += part;
                if (held == tokens.length) {
                    write();
                }
            }
        }

        private void write() throws IOException {
            boolean small = Arrays.stream(tokens, 0, held).allMatch(id -> id >= 0 && id < SMALL);
            ByteBuffer bytes = ByteBuffer.allocate(held * (small ? Short.BYTES : Integer.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < held; i++) {
                if (small) {
                    bytes.putShort((short) tokens[i]);
                } else {
                    bytes.putInt(tokens[i]);
                }
            }
            Path file = file(folder, written++);
            FileErrors.named(file, () -> Files.write(file, bytes.array()));
            held = 0;
        }

        @Override
        public void close() throws IOException {
            if (held > 0) {
                write();
            }
        }
    }
}
