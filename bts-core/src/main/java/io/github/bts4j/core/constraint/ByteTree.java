package io.github.bts4j.core.constraint;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** The bytes of tokens as a tree, written in the order of a walk: node i has its children behind it, up to the node {@code ends[i]}. */
final class ByteTree {
    private final byte[][] bytes; // [id]
    private final int[] tokens; // sorted by their bytes
    private byte[] labels;
    private int[] ends;
    private int[] depths;
    private int[] firstTokens; // [node]: where its tokens begin in tokens
    private int deepest;

    /** The state after a byte, or null. */
    interface Step {
        State next(State state, int value);

        /** Whether so much was tried that only tokens of one byte are still worth it. */
        boolean isExhausted();
    }

    ByteTree(byte[][] bytes, int[] ids) {
        this.bytes = bytes;
        this.tokens = IntStream.of(ids).boxed().sorted(Comparator.<Integer, byte[]>comparing(id -> bytes[id], Arrays::compareUnsigned).thenComparing(id -> id))
                .mapToInt(Integer::intValue).toArray();
        build();
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

    /** Sets the bits of the tokens that a state allows. */
    void walk(State state, Step step, long[] mask) {
        State[] path = new State[deepest + 1];
        path[0] = state;
        int node = 0;
        while (node < labels.length) {
            int depth = depths[node];
            State next = depth > 0 && step.isExhausted() ? null : step.next(path[depth], labels[node] & 0xFF);
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
    }
}
