package io.github.bts4j.core.constraint;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;

/**
 * The bytes of a vocabulary's ordinary tokens as a tree, written in the order of a walk: node i has its children behind it, up to the node {@code ends[i]}.
 */
final class TokenTrie {
    private static final Map<LlamaTokenizer, TokenTrie> KNOWN = new WeakHashMap<>();

    private final int size;
    private final byte[][] bytes; // [id]; null for special tokens
    private byte[] labels;
    private int[] ends;
    private int[] depths;
    private int[] firstTokens; // [node]: where its tokens begin in tokens
    private final int[] tokens;
    private int deepest;

    /** The state after a byte, or null. */
    interface Step {
        State next(State state, int value);
    }

    TokenTrie(byte[][] bytes) {
        this.size = bytes.length;
        this.bytes = bytes;
        List<Integer> ids = new ArrayList<>();
        for (int id = 0; id < size; id++) {
            if (bytes[id] != null && bytes[id].length > 0) {
                ids.add(id);
            }
        }
        ids.sort(Comparator.<Integer, byte[]>comparing(id -> bytes[id], Arrays::compareUnsigned).thenComparing(id -> id));
        this.tokens = ids.stream().mapToInt(Integer::intValue).toArray();
        build();
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

    private void build() {
        int most = Arrays.stream(tokens).map(id -> bytes[id].length).sum();
        labels = new byte[most];
        ends = new int[most];
        depths = new int[most];
        firstTokens = new int[most + 1];
        int nodes = 0;
        int[] path = new int[Arrays.stream(tokens).map(id -> bytes[id].length).max().orElse(0)];
        byte[] before = {};
        for (int t = 0; t < tokens.length; t++) {
            byte[] token = bytes[tokens[t]];
            int shared = Math.max(0, Arrays.mismatch(before, token));
            shared = Arrays.equals(before, token) ? token.length : shared;
            for (int d = shared; d < before.length; d++) {
                ends[path[d]] = nodes;
            }
            for (int d = shared; d < token.length; d++) {
                labels[nodes] = token[d];
                depths[nodes] = d;
                firstTokens[nodes] = t;
                path[d] = nodes++;
            }
            before = token;
        }
        for (int d = 0; d < before.length; d++) {
            ends[path[d]] = nodes;
        }
        labels = Arrays.copyOf(labels, nodes);
        ends = Arrays.copyOf(ends, nodes);
        depths = Arrays.copyOf(depths, nodes);
        firstTokens = Arrays.copyOf(firstTokens, nodes + 1);
        firstTokens[nodes] = tokens.length;
        deepest = path.length;
    }

    /** One more than the highest token id. */
    int size() {
        return size;
    }

    /** The bytes of an ordinary token; null for a special token or an id beyond the vocabulary. */
    byte[] bytes(int id) {
        return id < size ? bytes[id] : null;
    }

    /** The tokens that a state allows, one bit each. */
    long[] mask(State state, Step step) {
        long[] mask = new long[(size + 63) / 64];
        State[] path = new State[deepest + 1];
        path[0] = state;
        int node = 0;
        while (node < labels.length) {
            int depth = depths[node];
            State next = step.next(path[depth], labels[node] & 0xFF);
            if (next == null) {
                node = ends[node];
                continue;
            }
            path[depth + 1] = next;
            int end = firstTokens[node + 1];
            for (int t = firstTokens[node]; t < end && bytes[tokens[t]].length == depth + 1; t++) {
                mask[tokens[t] >> 6] |= 1L << tokens[t];
            }
            node++;
        }
        return mask;
    }
}
