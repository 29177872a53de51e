package io.github.bts4j.train.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Token ids in mapped files of equal numbers of tokens, little-endian, two bytes per token where all ids of a file are below 2^16, else four. The mapped pages
 * belong to the page cache, not to the heap.
 */
final class TokenShards implements TokenStore {
    /** Tokens of a file but the last. */
    static final int SHARD_TOKENS = 1 << 24;

    private static final int SMALL = 1 << 16;

    private final List<MappedByteBuffer> shards;
    private final int shardTokens;
    private final int[] width;
    private final int size;

    private TokenShards(List<MappedByteBuffer> shards, int shardTokens, int[] width, int size) {
        this.shards = shards;
        this.shardTokens = shardTokens;
        this.width = width;
        this.size = size;
    }

    static Path file(Path folder, int shard) {
        return folder.resolve(String.format(java.util.Locale.ROOT, "tokens-%05d.bin", shard));
    }

    /** Maps what a {@link Writer} wrote. */
    static TokenShards map(Path folder, int size, int shardTokens) throws IOException {
        int count = (int) ((size + (long) shardTokens - 1) / shardTokens);
        List<MappedByteBuffer> shards = new ArrayList<>();
        int[] width = new int[count];
        for (int i = 0; i < count; i++) {
            Path file = file(folder, i);
            int tokens = i + 1 < count ? shardTokens : size - i * shardTokens;
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                width[i] = channel.size() == (long) tokens * Short.BYTES ? Short.BYTES : Integer.BYTES;
                if (channel.size() != (long) tokens * width[i]) {
                    throw new IOException(file + " has " + channel.size() + " bytes, not those of " + tokens + " tokens");
                }
                MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
                mapped.order(ByteOrder.LITTLE_ENDIAN);
                shards.add(mapped);
            }
        }
        return new TokenShards(shards, shardTokens, width, size);
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
            ByteBuffer bytes = shards.get(shard);
            if (width[shard] == Integer.BYTES) {
                for (int i = 0; i < part; i++) {
                    into[at + done + i] = bytes.getInt((start + i) * Integer.BYTES);
                }
            } else {
                for (int i = 0; i < part; i++) {
                    into[at + done + i] = Short.toUnsignedInt(bytes.getShort((start + i) * Short.BYTES));
                }
            }
            done += part;
        }
    }

    /** Writes tokens as they come, holding one file's tokens in memory. */
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
            boolean small = Arrays.stream(tokens, 0, held).allMatch(id -> id < SMALL);
            ByteBuffer bytes = ByteBuffer.allocate(held * (small ? Short.BYTES : Integer.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < held; i++) {
                if (small) {
                    bytes.putShort((short) tokens[i]);
                } else {
                    bytes.putInt(tokens[i]);
                }
            }
            Files.write(file(folder, written++), bytes.array());
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
