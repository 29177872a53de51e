package io.github.bts4j.train.data;

import io.github.bts4j.core.DataException;
import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.support.SplitMix64;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * The packed text of one domain: the token ids of its documents one after the other in one array, with the token and
 * byte counts of every document. Immutable and safe for use by many threads; at most 2^31 - 9 tokens. They are on the heap, 4 bytes
 * each, or in the mapped files of a {@link TokenCache}.
 *
 * <p>A training sequence of this domain is a segment of {@code sequenceLength + 1} tokens. An epoch has
 * {@code size / sequenceLength} of them, drawn without replacement in an order shuffled by (seed, name, epoch). Each epoch
 * after the first also shifts the starts of its segments, unless {@link #withFixedWindows} is used.
 */
public final class TokenDataset implements Domain {

    private static final int HASHED_TOKENS = 1 << 14;

    private final String name;
    private final TokenStore tokens;
    private final int[] ends;
    private final long[] documentBytes;
    private final String fingerprint;
    private final boolean fixedWindows;

    private TokenDataset(TokenDataset other, boolean fixedWindows) {
        this.name = other.name;
        this.tokens = other.tokens;
        this.ends = other.ends;
        this.documentBytes = other.documentBytes;
        this.fingerprint = fixedWindows ? Hashes.sha256("fixed windows of " + other.fingerprint) : other.fingerprint;
        this.fixedWindows = fixedWindows;
    }

    TokenDataset(String name, TokenStore tokens, int[] ends, long[] documentBytes) {
        this(name, tokens, ends, documentBytes, fingerprint(tokens, ends, documentBytes));
    }

    /** Creates a dataset with a known {@link #fingerprint(TokenStore, int[], long[])}. */
    TokenDataset(String name, TokenStore tokens, int[] ends, long[] documentBytes, String fingerprint) {
        this.name = name;
        this.tokens = tokens;
        this.ends = ends;
        this.documentBytes = documentBytes;
        this.fingerprint = fingerprint;
        this.fixedWindows = false;
    }

    /**
     * Reads and encodes a text source.
     *
     * @param name name of the domain
     * @param source the documents; read once and closed
     * @param encoder turns a document into token ids, with a begin token if the model needs one
     * @return the packed dataset
     * @throws DataException if the source has no text or broken text, or cannot be read
     * @throws IllegalArgumentException if the encoder yields a negative id, or there are too many tokens
     */
    public static TokenDataset encode(String name, TextSource source, TokenEncoder encoder) {
        return encode(name, source, encoder, OptionalInt.empty());
    }

    /**
     * Reads and encodes a text source, and appends an end token to each document.
     *
     * @param name name of the domain
     * @param source the documents; read once and closed
     * @param encoder turns a document into token ids, with a begin token if the model needs one
     * @param eosTokenId the token to append to every document; empty for none
     * @return the packed dataset
     * @throws DataException if the source has no text or broken text, or cannot be read
     * @throws IllegalArgumentException if the encoder yields a negative id, or there are too many tokens
     */
    public static TokenDataset encode(String name, TextSource source, TokenEncoder encoder, OptionalInt eosTokenId) {
        TokenDatasetBuilder builder = builder(name);
        try (Stream<Document> documents = source.documents()) {
            documents.forEachOrdered(document -> builder.add(ids(encoder, document, eosTokenId), document.bytes(), document.origin()));
        }
        TokenDataset dataset = builder.build();
        if (dataset.size() == 0) {
            throw new DataException(source.path(), "Text source " + source.path() + " was encoded to no tokens");
        }
        return dataset;
    }

    /**
     * Packs documents that are already encoded.
     *
     * @param name name of the domain
     * @return an empty builder
     * @throws IllegalArgumentException if {@code name} is blank
     */
    public static TokenDatasetBuilder builder(String name) {
        return new TokenDatasetBuilder(name, TokenDatasetBuilder.MAX_TOKENS);
    }

    @Override
    public String name() {
        return name;
    }

    /**
     * The number of tokens.
     *
     * @return tokens of all documents, including begin and end tokens
     */
    public int size() {
        return tokens.size();
    }

    /**
     * The amount of text.
     *
     * @return bytes of all documents in UTF-8
     */
    public long bytes() {
        return Arrays.stream(documentBytes).sum();
    }

    /**
     * The number of documents.
     *
     * @return documents, 0 for an empty dataset
     */
    public int documentCount() {
        return ends.length;
    }

    /**
     * The tokens of one document.
     *
     * @param index number of the document, from 0
     * @return a copy of its token ids, including begin and end tokens
     * @throws IndexOutOfBoundsException if there is no such document
     */
    public int[] document(int index) {
        Objects.checkIndex(index, ends.length);
        int[] ids = new int[ends[index] - start(index)];
        tokens.copy(start(index), ids.length, ids, 0);
        return ids;
    }

    /**
     * The size of one document's text.
     *
     * @param index number of the document, from 0
     * @return bytes of its text in UTF-8
     * @throws IndexOutOfBoundsException if there is no such document
     */
    public long documentBytes(int index) {
        return documentBytes[Objects.checkIndex(index, ends.length)];
    }

    /**
     * A dataset in which every epoch has the same segments in another order, so that results computed from them can be cached.
     *
     * @return a dataset that shares the tokens
     */
    public TokenDataset withFixedWindows() {
        return fixedWindows ? this : new TokenDataset(this, true);
    }

    /**
     * Divides the dataset by document.
     *
     * @param rule which documents to hold out
     * @return the two parts
     * @throws IllegalArgumentException if either part would be empty
     */
    public Split split(HoldOut rule) {
        BitSet held = rule.heldOut(this);
        if (held.isEmpty() || held.cardinality() == documentCount()) {
            throw new IllegalArgumentException("Dataset '" + name + "' has " + documentCount() + " document(s): " + rule
                    + " would hold out " + held.cardinality() + " and leave nothing "
                    + (held.isEmpty() ? "to evaluate on" : "to train on"));
        }
        BitSet kept = new BitSet();
        kept.set(0, documentCount());
        kept.andNot(held);
        return new Split(part(kept), part(held));
    }

    @Override
    public List<Segment> sequence(long seed, long ordinal, int sequenceLength) {
        refuse(problems(sequenceLength));
        int offset = new Dealing(size(), sequenceLength, SplitMix64.key(seed, name), fixedWindows).offset(ordinal);
        return List.of(new Segment(this, offset, sequenceLength + 1));
    }

    @Override
    public long sequencesPerEpoch(int sequenceLength) {
        refuse(problems(sequenceLength));
        return size() / sequenceLength;
    }

    @Override
    public List<Window> windows(int sequenceLength) {
        checkLength(sequenceLength);
        if (size() < 2) {
            throw new IllegalArgumentException(
                    "Dataset '" + name + "' has " + size() + " token(s), an evaluation window needs 2");
        }
        int count = (int) ((size() - 2L + sequenceLength) / sequenceLength);
        return new WindowList(count, index -> {
            int start = index * sequenceLength;
            int length = (int) Math.min(sequenceLength + 1L, size() - start);
            return Window.of(name, List.of(new Segment(this, start, length)));
        });
    }

    @Override
    public List<String> problems(int sequenceLength) {
        if (size() > sequenceLength) {
            return List.of();
        }
        return List.of("domain '" + name + "' has " + size() + " tokens, one sequence needs sequenceLength + 1 = "
                + (sequenceLength + 1L) + ": give it more text or shorten the sequence");
    }

    @Override
    public String fingerprint() {
        return fingerprint;
    }

    @Override
    public String toString() {
        return "TokenDataset[" + name + ", " + documentCount() + " documents, " + size() + " tokens, " + bytes()
                + " bytes, sha256 " + fingerprint.substring(0, 12) + "]";
    }

    static int[] ids(TokenEncoder encoder, Document document, OptionalInt eosTokenId) {
        int[] ids = encoder.encode(document.text());
        if (eosTokenId.isPresent()) {
            ids = Arrays.copyOf(ids, ids.length + 1);
            ids[ids.length - 1] = eosTokenId.getAsInt();
        }
        return ids;
    }

    void copy(int from, int length, int[] into, int at) {
        tokens.copy(from, length, into, at);
    }

    static void checkLength(int sequenceLength) {
        if (sequenceLength < 1) {
            throw new IllegalArgumentException("sequenceLength = " + sequenceLength + " must be at least 1 token");
        }
    }

    static void refuse(List<String> problems) {
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", problems));
        }
    }

    private int start(int document) {
        return document == 0 ? 0 : ends[document - 1];
    }

    private TokenDataset part(BitSet chosen) {
        TokenStore.Selected part = TokenStore.Selected.of(tokens, ends, chosen);
        int[] partEnds = new int[chosen.cardinality()];
        long[] partBytes = new long[partEnds.length];
        int size = 0;
        int count = 0;
        for (int i = chosen.nextSetBit(0); i >= 0; i = chosen.nextSetBit(i + 1)) {
            size += ends[i] - start(i);
            partEnds[count] = size;
            partBytes[count++] = documentBytes[i];
        }
        return new TokenDataset(name, part, partEnds, partBytes);
    }

    /** SHA-256 over: documents; tokens and bytes of each (64 bits); all token ids (32 bits); little-endian. */
    static String fingerprint(TokenStore tokens, int[] ends, long[] documentBytes) {
        MessageDigest digest = Hashes.sha256();
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putLong(ends.length);
        for (int i = 0; i < ends.length; i++) {
            drain(buffer, digest, Long.BYTES * 2);
            buffer.putLong(ends[i] - (i == 0 ? 0 : ends[i - 1])).putLong(documentBytes[i]);
        }
        int[] part = new int[HASHED_TOKENS];
        for (int from = 0; from >= 0 && from < tokens.size(); from += HASHED_TOKENS) {
            int length = Math.min(HASHED_TOKENS, tokens.size() - from);
            tokens.copy(from, length, part, 0);
            for (int i = 0; i < length; i++) {
                drain(buffer, digest, Integer.BYTES);
                buffer.putInt(part[i]);
            }
        }
        drain(buffer, digest, buffer.capacity());
        return Hashes.hex(digest);
    }

    private static void drain(ByteBuffer buffer, MessageDigest digest, int needed) {
        if (buffer.remaining() < needed) {
            digest.update(buffer.flip());
            buffer.clear();
        }
    }
}
