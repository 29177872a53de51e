package io.github.bts4j.train.data;

import io.github.bts4j.core.DataException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.support.Interrupts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Encoded datasets on disk: text is tokenised once, in one pass with at most 16 million tokens in memory, and its ids are mapped afterwards. The key of a dataset is
 * the content of the source's files, how they were read, the tokenizer, and the end token. A change of any of them makes another
 * dataset. A dataset from the cache is checked by its fingerprint, and encoded again if a file is damaged. Safe for use by many threads and processes.
 */
public final class TokenCache {
    private static final Logger LOG = LoggerFactory.getLogger(TokenCache.class);

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
        return dataset(name, source, DocumentsEncoder.of(encoder), encoderIdentity);
    }

    /**
     * The same with an encoder of many documents at once.
     *
     * @param name name of the domain
     * @param source the documents; its files are hashed, and read if the dataset is not in the cache
     * @param encoder turns documents into token ids
     * @param encoderIdentity identifies what the encoder does
     * @return the dataset
     * @throws IOException if writing or reading the cache fails; partly written datasets are never used
     * @throws DataException as {@link TokenDataset#encode(String, TextSource, TokenEncoder)}
     * @throws IllegalArgumentException as {@link TokenDataset#encode(String, TextSource, TokenEncoder)}
     */
    public TokenDataset dataset(String name, TextSource source, DocumentsEncoder encoder, String encoderIdentity) throws IOException {
        TokenDataset dataset = found(name, source, encoder, encoderIdentity);
        return encoder.chooses() ? dataset.withWholeDocuments() : dataset;
    }

    /**
     * Where a dataset is, or would be.
     *
     * @param source the documents; its files are hashed
     * @param encoderIdentity identifies what the encoder does
     * @return the dataset's folder, for {@link TokenFolder#open}
     */
    public Path folder(TextSource source, String encoderIdentity) {
        return folder.resolve(Hashes.sha256(encoderIdentity + "\n" + source.identity()));
    }

    private TokenDataset found(String name, TextSource source, DocumentsEncoder encoder, String encoderIdentity) throws IOException {
        Path target = folder(source, encoderIdentity);
        if (Files.isDirectory(target)) {
            try {
                return TokenFolder.read(name, target);
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
            TokenFolder.Index index = write(temporary, name, source, encoder);
            try {
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                if (!Files.isDirectory(target)) {
                    throw e;
                }
                return TokenFolder.read(name, target); // another process was faster
            }
            AtomicFiles.forceFolder(folder);
            return TokenFolder.known(name, target, index);
        } finally {
            FileTree.delete(temporary);
        }
    }

    private TokenFolder.Index write(Path into, String name, TextSource source, DocumentsEncoder encoder) throws IOException {
        try (TokenFolder.Writer writer = TokenFolder.writer(into, name, shardTokens, encoder.chooses())) {
            DocumentEncoding.each(source, encoder, (ids, document) -> writer.add(ids, document.bytes(), document.origin()));
            if (writer.size() == 0) {
                throw DocumentEncoding.nothing(source);
            }
            return writer.finish();
        }
    }
}
