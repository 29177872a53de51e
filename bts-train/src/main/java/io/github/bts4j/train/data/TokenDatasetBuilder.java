package io.github.bts4j.train.data;

import java.util.Arrays;

/**
 * Packs encoded documents into a {@link TokenDataset}. Made by {@link TokenDataset#builder(String)}; for one thread.
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
        return add(documentTokens, documentBytes, "number " + documents);
    }

    TokenDatasetBuilder add(int[] documentTokens, long documentBytes, String origin) {
        if (documentBytes < 0) {
            throw new IllegalArgumentException("documentBytes = " + documentBytes + " must not be negative");
        }
        checked(name, documentTokens, origin);
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

    static int[] checked(String name, int[] documentTokens, String origin) {
        for (int i = 0; i < documentTokens.length; i++) {
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
        return new TokenDataset(name, new TokenStore.Heap(Arrays.copyOf(tokens, size)), Arrays.copyOf(ends, documents),
                Arrays.copyOf(bytes, documents));
    }
}
