package io.github.bts4j.server;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * A token as OpenAI's log-probabilities write it: its text; for a part of a character, its bytes ({@code \xf0\x9f}; in completions
 * {@code bytes:\xf0\x9f}); for a special token, its spelling.
 *
 * @param name the text, or how the token is written
 * @param bytes the token's part of the text, in UTF-8
 * @param special whether it is a special token, which adds no text
 */
record TokenText(String name, byte[] bytes, boolean special) {
    /** A token within a text. */
    static TokenText of(LlamaTokenizer tokenizer, int id, boolean chat) {
        byte[] bytes = tokenizer.bytes(id);
        return new TokenText(name(bytes, chat), bytes, tokenizer.isSpecial(id));
    }

    /** A token at the beginning of a text, where SentencePiece strips its space. */
    TokenText withoutSpace() {
        return new TokenText(name.substring(1), java.util.Arrays.copyOfRange(bytes, 1, bytes.length), special);
    }

    private static String name(byte[] bytes, boolean chat) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            StringBuilder name = new StringBuilder(chat ? "" : "bytes:");
            for (byte each : bytes) {
                name.append(each >= ' ' && each != 0x7F ? Character.toString(each) : String.format("\\x%02x", each & 0xFF));
            }
            return name.toString();
        }
    }
}
