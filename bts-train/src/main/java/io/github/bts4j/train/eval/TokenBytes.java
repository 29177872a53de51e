package io.github.bts4j.train.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.IntUnaryOperator;

/**
 * How many bytes of UTF-8 text each token stands for; special tokens stand for none. Immutable.
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
     * @throws IOException if tokenizer.json cannot be read
     */
    public static TokenBytes of(LlamaTokenizer tokenizer) throws IOException {
        boolean byteLevel = isByteLevel(new ObjectMapper().readTree(tokenizer.path().toFile()).path("decoder"));
        int[] bytes = new int[tokenizer.vocabSize()];
        for (int id = 0; id < bytes.length; id++) {
            bytes[id] = tokenizer.isSpecial(id) ? 0 : bytes(tokenizer.token(id), byteLevel);
        }
        return new TokenBytes(bytes);
    }

    private static boolean isByteLevel(JsonNode decoder) {
        boolean found = decoder.path("type").asText().equals("ByteLevel");
        for (JsonNode part : decoder.path("decoders")) {
            found |= isByteLevel(part);
        }
        return found;
    }

    private static int bytes(String token, boolean byteLevel) {
        if (byteLevel) {
            return token.codePointCount(0, token.length());
        }
        return token.matches("<0x[0-9A-F]{2}>") ? 1 : token.replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8).length;
    }

    @Override
    public int applyAsInt(int token) {
        return bytes[token];
    }
}
