package io.github.bts4j.core.constraint;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.stream.IntStream;

/**
 * The bytes of a vocabulary's ordinary tokens. Most tokens are plain characters of JSON strings: where any such characters may follow, their number alone decides, and only the
 * other tokens are tried.
 */
final class TokenTrie {
    private static final Map<LlamaTokenizer, TokenTrie> KNOWN = new WeakHashMap<>();
    private static final int NOT_PLAIN = -1;

    private final byte[][] bytes; // [id]; null for special tokens
    private final int[] plain; // [id]: how many plain characters the token is, or NOT_PLAIN
    private final long[][] plainMasks; // [length]: the plain tokens of at most so many characters
    private final ByteTree all;
    private final ByteTree others; // those that are not plain

    TokenTrie(byte[][] bytes) {
        this.bytes = bytes;
        this.plain = IntStream.range(0, bytes.length).map(id -> plain(bytes[id])).toArray();
        int[] ids = IntStream.range(0, bytes.length).filter(id -> bytes[id] != null && bytes[id].length > 0).toArray();
        this.all = new ByteTree(bytes, ids);
        this.others = new ByteTree(bytes, IntStream.of(ids).filter(id -> plain[id] == NOT_PLAIN).toArray());
        this.plainMasks = new long[1 + IntStream.of(plain).max().orElse(0)][];
    }

    /** The tree of a tokenizer, made once. */
    static TokenTrie of(LlamaTokenizer tokenizer) {
        synchronized (KNOWN) {
            return KNOWN.computeIfAbsent(tokenizer, one -> {
                byte[][] bytes = new byte[one.vocabSize()][];
                for (int id = 0; id < bytes.length; id++) {
                    bytes[id] = one.isSpecial(id) ? null : one.bytes(id);
                }
                return new TokenTrie(bytes);
            });
        }
    }

    private static int plain(byte[] token) {
        if (token == null || token.length == 0) {
            return NOT_PLAIN;
        }
        for (byte value : token) {
            if (value >= 0 && value < 0x20 || value == '"' || value == '\\') {
                return NOT_PLAIN;
            }
        }
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(token)).toString();
            return text.codePointCount(0, text.length());
        } catch (CharacterCodingException e) {
            return NOT_PLAIN; // parts of characters
        }
    }

    /** One more than the highest token id. */
    int size() {
        return bytes.length;
    }

    /** The bytes of an ordinary token; null for a special token or an id beyond the vocabulary. */
    byte[] bytes(int id) {
        return id < bytes.length ? bytes[id] : null;
    }

    /** The tokens that a state allows, one bit each. */
    long[] mask(State state, ByteTree.Step step) {
        long room = NOT_PLAIN;
        for (Stack top : state.tops) {
            room = Math.max(room, ((Terminal) top.node).plainRoom(top.place));
        }
        int longest = plainMasks.length - 1;
        if (room < 0 || room < longest && state.tops.size() > 1) {
            long[] mask = new long[(size() + 63) / 64];
            all.walk(state, step, mask);
            return mask;
        }
        long[] mask = plainMask((int) Math.min(room, longest)).clone();
        others.walk(state, step, mask);
        return mask;
    }

    private long[] plainMask(int length) {
        if (plainMasks[length] == null) {
            long[] mask = new long[(size() + 63) / 64];
            for (int id = 0; id < plain.length; id++) {
                if (plain[id] != NOT_PLAIN && plain[id] <= length) {
                    mask[id >> 6] |= 1L << id;
                }
            }
            plainMasks[length] = mask;
        }
        return plainMasks[length];
    }
}
