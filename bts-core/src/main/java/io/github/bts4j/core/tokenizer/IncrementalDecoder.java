package io.github.bts4j.core.tokenizer;

import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Decodes ids one by one into pieces of text. A piece never ends inside a character: incomplete bytes are held back until the character is complete,
 * found to be invalid, or {@link #flush} is called. The pieces together are the decoded text of all ids.
 *
 * <p>The cost of a token does not grow with the text: byte tokens go through a UTF-8 decoder, any other token is decoded alone after one
 * fixed letter, so that it keeps its leading space.
 *
 * <p>One exception to "the pieces together are the decoded text": SentencePiece tokenizers write rare characters as runs of byte tokens, and decode a run
 * that holds a wrong byte anywhere to U+FFFD throughout. Here the characters before the wrong byte have already been returned.
 *
 * <p>Not thread-safe: one decoder for one text. Its tokenizer must stay open; the decoder itself need not be closed.
 */
public final class IncrementalDecoder {

    private static final int NONE = -1;

    private final LlamaTokenizer tokenizer;
    private final boolean skipSpecialTokens;
    private final boolean losesFirstSpace;
    private final int anchor; // decodes to one letter
    private final Utf8Stream bytes;
    private final List<Integer> beginning = new ArrayList<>(); // the ids so far, while they have no text yet
    private boolean begun;

    IncrementalDecoder(LlamaTokenizer tokenizer, boolean skipSpecialTokens, boolean continuation) {
        this.tokenizer = tokenizer;
        this.skipSpecialTokens = skipSpecialTokens;
        boolean byteLevel = tokenizer.decoder() instanceof TokenDecoder.ByteLevel;
        losesFirstSpace = !byteLevel && !continuation;
        anchor = byteLevel ? NONE : findAnchor(tokenizer);
        bytes = new Utf8Stream(!byteLevel);
        begun = !losesFirstSpace;
    }

    /**
     * Takes the next id.
     *
     * @param tokenId the id
     * @return the text that is now complete; empty while a character is unfinished
     * @throws IllegalArgumentException if the id is negative or not below {@link LlamaTokenizer#vocabSize}
     */
    public String push(int tokenId) {
        tokenizer.requireId(tokenId);
        Vocabulary vocabulary = tokenizer.vocabulary();
        if (!vocabulary.isAssigned(tokenId) || skipSpecialTokens && vocabulary.isSpecial(tokenId)) {
            return "";
        }
        return begun ? next(tokenId) : first(tokenId);
    }

    /**
     * Ends the text and makes the decoder ready for another one of the same kind.
     *
     * @return text that was held back: U+FFFD for the bytes of an incomplete character, else empty
     */
    public String flush() {
        StringBuilder text = new StringBuilder(begun ? "" : decodeBeginning());
        bytes.flush(text);
        beginning.clear();
        begun = !losesFirstSpace;
        return text.toString();
    }

    private String next(int tokenId) {
        StringBuilder text = new StringBuilder();
        Optional<byte[]> tokenBytes = bytesOf(tokenId);
        if (tokenBytes.isPresent()) {
            for (byte value : tokenBytes.get()) {
                bytes.push(value & 0xFF, text);
            }
        } else {
            bytes.flush(text);
            text.append(alone(tokenId));
        }
        return text.toString();
    }

    /** The text of a text token within a text. */
    private String alone(int tokenId) {
        return tokenizer.decode(new int[] {anchor, tokenId}, false).substring(1);
    }

    /** The bytes of a token within a text. */
    byte[] bytes(int tokenId) {
        return bytesOf(tokenId).orElseGet(() -> alone(tokenId).getBytes(StandardCharsets.UTF_8));
    }

    /** The library itself decodes the ids up to the first text, because only the beginning of a text loses a space. */
    private String first(int tokenId) {
        beginning.add(tokenId);
        String text = endsInsideCharacter(beginning) ? "" : decodeBeginning();
        if (!text.isEmpty()) {
            begun = true;
            beginning.clear();
        }
        return text;
    }

    private String decodeBeginning() {
        return tokenizer.decode(beginning.stream().mapToInt(Integer::intValue).toArray(), false);
    }

    private boolean endsInsideCharacter(List<Integer> ids) {
        Utf8Stream run = new Utf8Stream(true);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            bytesOf(id).ifPresentOrElse(value -> run.push(value[0] & 0xFF, text), () -> run.flush(text));
        }
        return run.isInsideCharacter();
    }

    private Optional<byte[]> bytesOf(int id) {
        return tokenizer.decoder().bytes(tokenizer.vocabulary().token(id));
    }

    /** A token that decodes to one letter in any position. */
    private static int findAnchor(LlamaTokenizer tokenizer) {
        for (char letter = 'a'; letter <= 'z'; letter++) {
            String text = String.valueOf(letter);
            if (tokenizer.hasToken(text) && tokenizer.decode(new int[] {tokenizer.tokenId(text)}, false).equals(text)) {
                return tokenizer.tokenId(text);
            }
        }
        throw new ModelFormatException(tokenizer.path(), "no token is a single letter from a to z: this vocabulary cannot be decoded token by token");
    }
}
