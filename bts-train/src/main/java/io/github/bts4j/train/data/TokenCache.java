package io.github.bts4j.train.data;

import io.github.bts4j.core.DataException;
import io.github.bts4j.core.FileFormatException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.support.Interrupts;
import io.github.bts4j.core.support.JsonReader;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Iterator;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Encoded datasets on disk: text is tokenised once, in one pass with at most 16 million tokens in memory, and its ids are mapped afterwards. The key of a dataset is
 * the content of the source's files, how they were read, the tokenizer, and the end token. A change of any of them makes another
 * dataset. A dataset from the cache is checked by its fingerprint, and encoded again if a file is damaged. Safe for use by many threads and processes.
 */
public final class TokenCache {
    private static final Logger LOG = LoggerFactory.getLogger(TokenCache.class);
    private static final String INDEX = "dataset.json";
    private static final String DOCUMENTS = "documents.bin";

    private final Path folder;
    private final int shardTokens;

    private TokenCache(Path folder, int shardTokens) {
        this.folder = folder;
        this.shardTokens = shardTokens;
    }

    /**
     * Opens a cache.
     *
     * @param folder folder of the datasets, created if absent
     * @return the cache
     * @throws IOException if the folder cannot be made
     */
    public static TokenCache open(Path folder) throws IOException {
        return open(folder, TokenShards.SHARD_TOKENS);
    }

    static TokenCache open(Path folder, int shardTokens) throws IOException {
        return new TokenCache(Files.createDirectories(folder), shardTokens);
    }

    private static final int DOCUMENT_BYTES = Integer.BYTES + Long.BYTES;

    /** The description in a dataset's folder. */
    private record Index(int tokens, int documents, int shardTokens, String fingerprint) {}

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

    /**
     * Finds a dataset, or reads, encodes and stores it.
     *
     * @param name name of the domain
     * @param source the documents; its files are hashed, and read if the dataset is not in the cache
     * @param encoder turns a document into token ids
     * @param encoderIdentity identifies what the encoder does, such as {@code tokenizer.sha256()} and which tokens are added
     * @return the dataset, equal to what {@link TokenDataset#encode(String, TextSource, TokenEncoder)} gives
     * @throws IOException if writing or reading the cache fails; partly written datasets are never used
     * @throws DataException as {@link TokenDataset#encode(String, TextSource, TokenEncoder)}
     * @throws IllegalArgumentException as {@link TokenDataset#encode(String, TextSource, TokenEncoder)}
     */
    public TokenDataset dataset(String name, TextSource source, TokenEncoder encoder, String encoderIdentity) throws IOException {
        TokenDataset dataset = found(name, source, encoder, encoderIdentity);
        return encoder.chooses() ? dataset.withWholeDocuments() : dataset;
    }

    private TokenDataset found(String name, TextSource source, TokenEncoder encoder, String encoderIdentity) throws IOException {
        Path target = folder.resolve(Hashes.sha256(encoderIdentity + "\n" + source.identity()));
        if (Files.isDirectory(target)) {
            try {
                return read(name, target);
            } catch (IOException | RuntimeException e) { // damaged in any way: encode it again
                if (Interrupts.caused(e)) {
                    throw e;
                }
                LOG.warn("Cached tokens of domain '{}' are damaged and will be encoded again: {}", name, e.getMessage());
                FileTree.delete(target);
            }
        } else {
            Files.deleteIfExists(target); // a file instead of a folder
        }
        Path temporary = Files.createTempDirectory(folder, ".writing");
        try {
            Index index = write(temporary, name, source, encoder);
            try {
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                if (!Files.isDirectory(target)) {
                    throw e;
                }
                return read(name, target); // another process was faster
            }
            AtomicFiles.forceFolder(folder);
            return Stored.open(target, index.tokens(), index.documents(), shardTokens).map(name, index.fingerprint());
        } finally {
            FileTree.delete(temporary);
        }
    }

    private Index write(Path into, String name, TextSource source, TokenEncoder encoder) throws IOException {
        int size = 0;
        int count = 0;
        try (TokenShards.Writer tokens = new TokenShards.Writer(into, shardTokens);
                DataOutputStream index = new DataOutputStream(new BufferedOutputStream(new NamedOutput(into.resolve(DOCUMENTS))));
                Stream<Document> documents = source.documents()) {
            for (Iterator<Document> each = documents.iterator(); each.hasNext();) {
                Document document = each.next();
                int[] ids = TokenDatasetBuilder.checked(name, DocumentEncoding.ids(encoder, document), document.origin(), encoder.chooses());
                if (ids.length > 0) {
                    size = Math.toIntExact(TokenDatasetBuilder.checkSize(name, (long) size + ids.length, TokenDatasetBuilder.MAX_TOKENS));
                    tokens.add(ids);
                    index.writeInt(size);
                    index.writeLong(document.bytes());
                    count++;
                }
            }
        }
        if (size == 0) {
            throw new DataException(source.path(), "Text source " + source.path() + " was encoded to no tokens");
        }
        Index index = new Index(size, count, shardTokens, Stored.open(into, size, count, shardTokens).fingerprint());
        AtomicFiles.write(into.resolve(INDEX), JsonReader.pretty(index));
        return index;
    }

    private static TokenDataset read(String name, Path from) throws IOException {
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
}
