package io.github.bts4j.train.data;

import java.util.Arrays;

/**
 * Packs encoded documents into a {@link TokenDataset}. Made by {@link TokenDataset#builder(String)}; not thread-safe.
 */
public final class TokenDatasetBuilder {

    /** The longest array that all JVMs support. */
    static final long MAX_TOKENS = Integer.MAX_VALUE - 8L;

    private static final int FIRST_CAPACITY = 1024;

    private final String name;
    private final long maxTokens;
    private int[] tokens = new int[FIRST_CAPACITY];
    private int size;
    private int[] ends = new int[16];
    private long[] bytes = new long[16];
    private int documents;
    private boolean chosen;

    TokenDatasetBuilder(String name, long maxTokens) {
        if (name.isBlank()) {
            throw new IllegalArgumentException("name = '" + name + "': a domain needs a name");
        }
        this.name = name;
        this.maxTokens = maxTokens;
    }

    /**
     * Appends one document. A document without tokens is skipped.
     *
     * @param documentTokens its token ids, including begin and end tokens; copied
     * @param documentBytes bytes of its text in UTF-8
     * @return this builder
     * @throws IllegalArgumentException if a token id or {@code documentBytes} is negative, or the dataset grows past
     *     2^31 - 9 tokens
     */
    public TokenDatasetBuilder add(int[] documentTokens, long documentBytes) {
        return add(documentTokens, documentBytes, "number " + documents, false);
    }

    /**
     * Appends one document of which not every token is predicted. The dataset then deals whole documents, see {@link TokenDataset#withWholeDocuments}.
     *
     * @param documentTokens its token ids; copied
     * @param counted for each token whether it is predicted
     * @param documentBytes bytes of its text in UTF-8
     * @return this builder
     * @throws IllegalArgumentException as {@link #add(int[], long)}, and if the arrays differ in length
     */
    public TokenDatasetBuilder add(int[] documentTokens, boolean[] counted, long documentBytes) {
        if (counted.length != documentTokens.length) {
            throw new IllegalArgumentException("counted.length = " + counted.length + " is not documentTokens.length = " + documentTokens.length);
        }
        int[] raw = checked(name, documentTokens, "number " + documents, false).clone();
        for (int t = 0; t < raw.length; t++) {
            raw[t] = counted[t] ? raw[t] : ~raw[t];
        }
        return add(raw, documentBytes, "number " + documents, true);
    }

    TokenDatasetBuilder add(int[] documentTokens, long documentBytes, String origin, boolean marked) {
        if (documentBytes < 0) {
            throw new IllegalArgumentException("documentBytes = " + documentBytes + " must not be negative");
        }
        checked(name, documentTokens, origin, marked);
        chosen |= marked;
        if (documentTokens.length > 0) {
            reserve(documentTokens.length);
            System.arraycopy(documentTokens, 0, tokens, size, documentTokens.length);
            size += documentTokens.length;
            ends[documents] = size;
            bytes[documents] = documentBytes;
            documents++;
        }
        return this;
    }

    static int[] checked(String name, int[] documentTokens, String origin, boolean chosen) {
        for (int i = 0; i < documentTokens.length && !chosen; i++) {
            if (documentTokens[i] < 0) {
                throw new IllegalArgumentException("Dataset '" + name + "', document " + origin + ": token id "
                        + documentTokens[i] + " at position " + i + " must not be negative");
            }
        }
        return documentTokens;
    }

    static long checkSize(String name, long needed, long maxTokens) {
        if (needed > maxTokens) {
            throw new IllegalArgumentException("Dataset '" + name + "' would have " + needed
                    + " tokens or more, the limit of one dataset is " + maxTokens + ": divide the domain into several datasets");
        }
        return needed;
    }

    private void reserve(int more) {
        long needed = checkSize(name, (long) size + more, maxTokens);
        if (needed > tokens.length) {
            tokens = Arrays.copyOf(tokens, (int) Math.min(MAX_TOKENS, Math.max(needed, tokens.length * 3L / 2)));
        }
        if (documents == ends.length) {
            ends = Arrays.copyOf(ends, documents * 2);
            bytes = Arrays.copyOf(bytes, documents * 2);
        }
    }

    /**
     * Builds the dataset. More documents may be added afterwards, and another dataset built.
     *
     * @return the packed dataset; empty when no document was added
     */
    public TokenDataset build() {
        TokenDataset dataset = new TokenDataset(name, new TokenStore.Heap(Arrays.copyOf(tokens, size)), Arrays.copyOf(ends, documents),
                Arrays.copyOf(bytes, documents));
        return chosen ? dataset.withWholeDocuments() : dataset;
    }
}
