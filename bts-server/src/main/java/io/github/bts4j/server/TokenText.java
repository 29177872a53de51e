package io.github.bts4j.server;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * How log-probabilities write a token, as OpenAI does: as its text; a part of a character, which has no text, as its bytes ({@code \xf0\x9f}; in completions
 * {@code bytes:\xf0\x9f}); a special token as its spelling.
 *
 * @param name the text or what stands for it
 * @param bytes the token's part of the text, in UTF-8
 * @param special whether it is no text
 */
record TokenText(String name, byte[] bytes, boolean special) {
    /** A token within a text that goes on. */
    static TokenText of(LlamaTokenizer tokenizer, int id, boolean chat) {
        byte[] bytes = tokenizer.bytes(id);
        return new TokenText(name(bytes, chat), bytes, tokenizer.isSpecial(id));
    }

    /** The same where it begins a text and SentencePiece takes its space away. */
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
