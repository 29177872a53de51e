package io.github.bts4j.train.data;

import io.github.bts4j.core.DataException;
import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.support.SplitMix64;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The packed text of one domain: the token ids of its documents one after the other in one array, with the token and
 * byte counts of every document. Immutable and safe for use by many threads; at most 2^31 - 9 tokens. They are on the heap, 4 bytes
 * each, or in the mapped files of a {@link TokenCache}.
 *
 * <p>A training sequence of this domain is a segment of {@code sequenceLength + 1} tokens. An epoch has
 * {@code size / sequenceLength} of them, drawn without replacement in an order shuffled by (seed, name, epoch). Each epoch
 * after the first also shifts the starts of its segments, unless {@link #withFixedWindows} is used. Of conversations, and after
 * {@link #withWholeDocuments}, a sequence consists of whole documents instead.
 */
public final class TokenDataset implements Domain {

    private final String name;
    private final TokenStore tokens;
    private final int[] ends;
    private final long[] documentBytes;
    private final String fingerprint;
    private final Layout layout;
    /** The packing used last; any thread may replace it, all compute the same. */
    private volatile Optional<DocumentPacking> lastPacking = Optional.empty();

    /** How sequences are cut out of the text. */
    private enum Layout {
        STRETCHES(""), FIXED_STRETCHES("fixed windows of "), WHOLE_DOCUMENTS("whole documents of ");

        private final String prefix;

        Layout(String prefix) {
            this.prefix = prefix;
        }
    }

    private TokenDataset(TokenDataset other, Layout layout) {
        this.name = other.name;
        this.tokens = other.tokens;
        this.ends = other.ends;
        this.documentBytes = other.documentBytes;
        this.fingerprint = layout.prefix.isEmpty() ? other.fingerprint : Hashes.sha256(layout.prefix + other.fingerprint);
        this.layout = layout;
    }

    TokenDataset(String name, TokenStore tokens, int[] ends, long[] documentBytes) {
        this(name, tokens, ends, documentBytes, TokenFingerprint.of(tokens, ends, documentBytes));
    }

    /** Creates a dataset with a known {@link TokenFingerprint}. */
    TokenDataset(String name, TokenStore tokens, int[] ends, long[] documentBytes, String fingerprint) {
        this.name = name;
        this.tokens = tokens;
        this.ends = ends;
        this.documentBytes = documentBytes;
        this.fingerprint = fingerprint;
        this.layout = Layout.STRETCHES;
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
        return encode(name, source, DocumentsEncoder.of(encoder));
    }

    /**
     * The same with an encoder of many documents at once, such as {@link DocumentsEncoder#parallel}.
     *
     * @param name name of the domain
     * @param source the documents; read once and closed
     * @param encoder turns documents into token ids
     * @return the packed dataset
     * @throws DataException if the source has no text or broken text, or cannot be read
     * @throws IllegalArgumentException if the encoder yields a negative id, or there are too many tokens
     */
    public static TokenDataset encode(String name, TextSource source, DocumentsEncoder encoder) {
        return DocumentEncoding.dataset(name, source, encoder);
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

    /** {@return the number of tokens of all documents, including begin and end tokens} */
    public int size() {
        return tokens.size();
    }

    /** {@return the size of all documents in bytes of UTF-8} */
    public long bytes() {
        return Arrays.stream(documentBytes).sum();
    }

    /** {@return the number of documents, 0 for an empty dataset} */
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
        copyIds(start(index), ids.length, ids, 0);
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
        return layout == Layout.STRETCHES ? new TokenDataset(this, Layout.FIXED_STRETCHES) : this;
    }

    /**
     * The same dataset, of which sequences are made of whole documents, as many as there is room for, and padding. A document sees no other one, nothing predicts
     * its first token, and evaluation windows hold one document each. Datasets of conversations are so from the beginning.
     *
     * @return a dataset that shares the tokens
     */
    public TokenDataset withWholeDocuments() {
        return isWholeDocuments() ? this : new TokenDataset(this, Layout.WHOLE_DOCUMENTS);
    }

    /** {@return whether sequences are made of whole documents, as they are for conversations and after {@link #withWholeDocuments}} */
    @Override
    public boolean isWholeDocuments() {
        return layout == Layout.WHOLE_DOCUMENTS;
    }

    /**
     * How whole documents fill sequences of a length.
     *
     * @param sequenceLength tokens that the model reads; a sequence has one more
     * @return what is cut, left out and counted
     */
    public PackingReport packingReport(int sequenceLength) {
        return packing(sequenceLength).report();
    }

    private DocumentPacking packing(int sequenceLength) {
        checkLength(sequenceLength);
        Optional<DocumentPacking> known = lastPacking;
        if (known.isPresent() && known.get().sequenceLength() == sequenceLength) {
            return known.get();
        }
        DocumentPacking packing = DocumentPacking.of(this, sequenceLength);
        lastPacking = Optional.of(packing);
        return packing;
    }

    /**
     * Divides the dataset by document. Both parts deal sequences as this dataset does.
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
        if (isWholeDocuments()) {
            return packing(sequenceLength).dealt(this, SplitMix64.key(seed, name), ordinal);
        }
        int offset = new Dealing(size(), sequenceLength, SplitMix64.key(seed, name), layout == Layout.FIXED_STRETCHES).offset(ordinal);
        return List.of(new Segment(this, offset, sequenceLength + 1));
    }

    @Override
    public long sequencesPerEpoch(int sequenceLength) {
        refuse(problems(sequenceLength));
        return isWholeDocuments() ? packing(sequenceLength).size() : size() / sequenceLength;
    }

    @Override
    public long predicted(long seed, long sequences, int sequenceLength) {
        return isWholeDocuments() && sequences > 0 ? packing(sequenceLength).counted(SplitMix64.key(seed, name), sequences) : Domain.super.predicted(seed, sequences, sequenceLength);
    }

    @Override
    public List<Window> windows(int sequenceLength) {
        checkLength(sequenceLength);
        if (isWholeDocuments()) {
            refuse(problems(sequenceLength));
            List<Segment> documents = packing(sequenceLength).documents(this);
            return new WindowList(documents.size(), index -> Window.ofDocument(name, documents.get(index), sequenceLength + 1));
        }
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
        if (isWholeDocuments()) {
            return packing(sequenceLength).size() > 0 ? List.of() : List.of("domain '" + name + "' has " + documentCount() + " conversation(s), and in sequences of " + sequenceLength
                    + " tokens none has a token of the assistant's that counts: lengthen the sequence, or look at the chat template");
        }
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

    /** Tokens as they are stored: the complement of one that is not predicted. */
    void copy(int from, int length, int[] into, int at) {
        tokens.copy(from, length, into, at);
    }

    /** Token ids. */
    void copyIds(int from, int length, int[] into, int at) {
        tokens.copy(from, length, into, at);
        for (int i = at; i < at + length; i++) {
            into[i] = into[i] < 0 ? ~into[i] : into[i];
        }
    }

    int length(int document) {
        return ends[document] - start(document);
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

    int start(int document) {
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
        TokenDataset dataset = new TokenDataset(name, part, partEnds, partBytes);
        return layout == Layout.STRETCHES ? dataset : new TokenDataset(dataset, layout);
    }
}
