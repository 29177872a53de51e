package io.github.bts4j.train.data;

import io.github.bts4j.core.FileFormatException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.support.JsonReader;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * An encoded dataset in a folder, in the format of {@link TokenCache}: its ids are mapped, not read. docs/checkpoint-format.md describes the files.
 */
public final class TokenFolder {
    private static final String INDEX = "dataset.json";
    private static final String DOCUMENTS = "documents.bin";
    private static final int DOCUMENT_BYTES = Integer.BYTES + Long.BYTES;

    private TokenFolder() {}

    /** The description in a dataset's folder. */
    record Index(int tokens, int documents, int shardTokens, String fingerprint) {}

    /** Reads a dataset's folder. Mapped last, because mapped files cannot be renamed or deleted everywhere. */
    private record Stored(Path folder, int tokens, int shardTokens, int[] ends, long[] bytes) {
        static Stored open(Path folder, int tokens, int documents, int shardTokens) throws IOException {
            int[] ends = new int[documents];
            long[] bytes = new long[documents];
            try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(folder.resolve(DOCUMENTS))))) {
                for (int i = 0; i < documents; i++) {
                    ends[i] = in.readInt();
                    bytes[i] = in.readLong();
                }
            }
            return new Stored(folder, tokens, shardTokens, ends, bytes);
        }

        String fingerprint() throws IOException {
            try {
                return TokenFingerprint.of(TokenShards.unmapped(folder, tokens, shardTokens), ends, bytes);
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
        }

        TokenDataset map(String name, String fingerprint) throws IOException {
            return new TokenDataset(name, TokenShards.map(folder, tokens, shardTokens), ends, bytes, fingerprint);
        }
    }

    /** Writes a dataset, with at most 16 million tokens in memory. Not thread-safe. */
    public static final class Writer implements Closeable {
        private final Path folder;
        private final String name;
        private final int shardTokens;
        private final boolean chosen;
        private final TokenShards.Writer tokens;
        private final DataOutputStream index;
        private int size;
        private int documents;

        private Writer(Path folder, String name, int shardTokens, boolean chosen) throws IOException {
            this.folder = folder;
            this.name = name;
            this.shardTokens = shardTokens;
            this.chosen = chosen;
            this.tokens = new TokenShards.Writer(folder, shardTokens);
            this.index = new DataOutputStream(new BufferedOutputStream(new NamedOutput(folder.resolve(DOCUMENTS))));
        }

        /**
         * Appends a document; one without tokens is left out.
         *
         * @param ids its token ids, with begin and end tokens
         * @param bytes bytes of its text in UTF-8
         * @throws IOException if the files cannot be written
         * @throws IllegalArgumentException if an id is negative, or there are too many tokens
         */
        public void add(int[] ids, long bytes) throws IOException {
            add(ids, bytes, "number " + documents);
        }

        void add(int[] ids, long bytes, String origin) throws IOException {
            TokenDatasetBuilder.checked(name, ids, origin, chosen);
            if (ids.length > 0) {
                size = Math.toIntExact(TokenDatasetBuilder.checkSize(name, (long) size + ids.length, TokenDatasetBuilder.MAX_TOKENS));
                tokens.add(ids);
                index.writeInt(size);
                index.writeLong(bytes);
                documents++;
            }
        }

        int size() {
            return size;
        }

        /** Writes the rest and the index; called once, after the last document. */
        Index finish() throws IOException {
            tokens.close();
            index.close();
            Index written = new Index(size, documents, shardTokens, Stored.open(folder, size, documents, shardTokens).fingerprint());
            AtomicFiles.write(folder.resolve(INDEX), JsonReader.pretty(written));
            return written;
        }

        /**
         * Writes the rest and the index; called once, after the last document.
         *
         * @return the number of tokens
         * @throws IOException if the files cannot be written
         * @throws IllegalArgumentException if there is no token
         */
        public int end() throws IOException {
            if (size == 0) {
                throw new IllegalArgumentException("Dataset '" + name + "' has no token: there is no text, or the texts are empty");
            }
            return finish().tokens();
        }

        @Override
        public void close() throws IOException {
            tokens.close();
            index.close();
        }
    }

    /**
     * Begins a dataset. A folder in which it was not ended has no index, and is refused.
     *
     * @param folder a folder that exists and is empty
     * @param name the dataset's name, for messages
     * @return a writer, which the caller closes
     * @throws IOException if the folder cannot be written to
     */
    public static Writer writer(Path folder, String name) throws IOException {
        return writer(folder, name, TokenShards.SHARD_TOKENS, false);
    }

    static Writer writer(Path folder, String name, int shardTokens, boolean chosen) throws IOException {
        return new Writer(folder, name, shardTokens, chosen);
    }

    /**
     * Opens a dataset.
     *
     * @param name name of the domain
     * @param folder the dataset's folder
     * @return the dataset
     * @throws IOException if a file cannot be read, or is damaged
     */
    public static TokenDataset open(String name, Path folder) throws IOException {
        return read(name, folder);
    }

    static TokenDataset read(String name, Path from) throws IOException {
        Index index = JsonReader.STRICT.record(from.resolve(INDEX), Index.class, FileFormatException::of);
        long listed = Files.size(from.resolve(DOCUMENTS));
        if (index.tokens() < 1 || index.documents() < 1 || index.shardTokens() < 1
                || listed != index.documents() * (long) DOCUMENT_BYTES) {
            throw new IOException(from.resolve(INDEX) + " says " + index + ", and " + DOCUMENTS + " has " + listed + " bytes");
        }
        Stored stored = Stored.open(from, index.tokens(), index.documents(), index.shardTokens());
        String found = stored.fingerprint();
        if (!found.equals(index.fingerprint())) {
            throw new IOException("the tokens in " + from + " have the SHA-256 " + found + " and not " + index.fingerprint());
        }
        return stored.map(name, found);
    }

    /** A dataset that was just written, whose fingerprint need not be computed again. */
    static TokenDataset known(String name, Path folder, Index index) throws IOException {
        return Stored.open(folder, index.tokens(), index.documents(), index.shardTokens()).map(name, index.fingerprint());
    }
}
