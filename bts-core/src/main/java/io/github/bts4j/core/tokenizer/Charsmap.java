package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Base64;
import java.util.BitSet;

/**
 * SentencePiece's {@code precompiled_charsmap}: the length of a double-array trie, its 32-bit units, and the replacements as texts that end with a zero byte.
 * The library follows it without looking at bounds, so every walk that a text can start is taken here first.
 */
final class Charsmap {

    private final int[] units;
    private final byte[] texts;
    private double growth = 1;
    private final boolean[] deletes = new boolean[128];

    private Charsmap(int[] units, byte[] texts) {
        this.units = units;
        this.texts = texts;
    }

    private static byte[] decode(String base64) {
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("is not base64", e);
        }
    }

    /**
     * Reads and checks a map.
     *
     * @throws IllegalArgumentException if it is not one
     */
    static Charsmap read(String base64) {
        byte[] bytes = decode(base64);
        throwIf(!Base64.getEncoder().encodeToString(bytes).equals(base64), () -> new IllegalArgumentException("is not canonical base64"));
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long size = buffer.remaining() < 4 ? -1 : Integer.toUnsignedLong(buffer.getInt());
        throwIf(size < 4 || size > buffer.remaining(), () -> new IllegalArgumentException("has " + bytes.length + " bytes, and begins with a trie of " + size));
        int[] units = new int[(int) (size / 4)];
        buffer.asIntBuffer().get(units);
        byte[] texts = Arrays.copyOfRange(bytes, 4 + units.length * 4, bytes.length);
        throwIf(!isUtf8(texts), () -> new IllegalArgumentException("holds replacements that are not UTF-8"));
        Charsmap map = new Charsmap(units, texts);
        map.walk();
        return map;
    }

    /** The maximum number of bytes that one byte of a text can become. */
    double growth() {
        return growth;
    }

    /** Whether this ASCII character is deleted. */
    boolean deletes(char ascii) {
        return deletes[ascii];
    }

    private static boolean isUtf8(byte[] bytes) {
        return Arrays.equals(bytes, new String(bytes, java.nio.charset.StandardCharsets.UTF_8).getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    /** Breadth first, so that each node is met with its shortest key. */
    private void walk() {
        BitSet seen = new BitSet(units.length);
        int[] nodes = {base(0)};
        seen.set(nodes[0]);
        for (int length = 1; nodes.length > 0; length++) {
            int[] next = new int[nodes.length * 8];
            int count = 0;
            for (int node : nodes) {
                for (int label = 1; label < 256; label++) {
                    int child = node ^ label;
                    int unit = units[child];
                    if ((unit & 0x800000FF) != label) {
                        continue;
                    }
                    int base = base(child);
                    if ((unit >>> 8 & 1) == 1) {
                        leaf(units[base] & 0x7FFFFFFF, length, length == 1 ? label : 0);
                    }
                    if (!seen.get(base)) {
                        seen.set(base);
                        next = count == next.length ? Arrays.copyOf(next, count * 2) : next;
                        next[count++] = base;
                    }
                }
            }
            nodes = Arrays.copyOf(next, count);
        }
    }

    /** The index from which the children of a unit are counted; with any byte added it has to stay within the trie. */
    private int base(int position) {
        int unit = units[position];
        long base = position ^ (Integer.toUnsignedLong(unit) >>> 10) << ((unit & 1 << 9) >>> 6);
        throwIf((base | 0xFF) >= units.length, () -> new IllegalArgumentException("leads out of its trie of " + units.length + " units, to " + base));
        return (int) base;
    }

    private void leaf(int text, int keyLength, int ascii) {
        throwIf(text > texts.length || text < texts.length && (texts[text] & 0xC0) == 0x80,
                () -> new IllegalArgumentException("has a replacement at byte " + text + " of " + texts.length));
        int end = text;
        while (end < texts.length && texts[end] != 0) {
            end++;
        }
        growth = Math.max(growth, (double) (end - text) / keyLength);
        if (ascii > 0 && ascii < 128 && end == text) {
            deletes[ascii] = true;
        }
    }
}
