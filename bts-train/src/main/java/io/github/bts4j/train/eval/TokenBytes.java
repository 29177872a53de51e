package io.github.bts4j.train.eval;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.function.IntUnaryOperator;

/**
 * The number of UTF-8 bytes of each token's text; 0 for special tokens. Immutable.
 *
 * <p>A byte-level BPE token writes one letter per byte; a SentencePiece token is text in which U+2581 is a space and
 * {@code <0xNN>} one byte.
 */
public final class TokenBytes implements IntUnaryOperator {
    private final int[] bytes;

    private TokenBytes(int[] bytes) {
        this.bytes = bytes;
    }

    /**
     * Counts the bytes of every token of a tokenizer.
     *
     * @param tokenizer the tokenizer
     * @return id to bytes
     */
    public static TokenBytes of(LlamaTokenizer tokenizer) {
        int[] bytes = new int[tokenizer.vocabSize()];
        for (int id = 0; id < bytes.length; id++) {
            bytes[id] = tokenizer.byteLength(id);
        }
        return new TokenBytes(bytes);
    }

    @Override
    public int applyAsInt(int token) {
        return bytes[token];
    }
}
