package io.github.bts4j.core.rows;

import io.github.bts4j.core.DecodeBatch;
import java.util.stream.IntStream;

/**
 * A step as one stream sees it: the state of each token after the layers so far, and the buffers that the workers share while they go through layers.
 *
 * @param batch the tokens, their positions and the stream's caches
 * @param hidden residual streams {@code [tokens][hidden]}, changed in place
 * @param rope rotations of each token's position
 * @param query queries {@code [tokens][heads * headDim]}
 * @param key new keys {@code [tokens][kvHeads * headDim]}
 * @param value new values, the same
 * @param attended {@code [tokens][heads * headDim]}
 * @param gate {@code [tokens][intermediate]}
 * @param up the same
 * @param branch output of a branch, added to the residual stream, {@code [tokens][hidden]}
 */
public record RowStep(DecodeBatch<RowCache> batch, float[][] hidden, float[][] rope, float[][] query, float[][] key, float[][] value, float[][] attended, float[][] gate,
        float[][] up, float[][] branch) {
    /**
     * The step of some of its tokens, for computations on each token separately, such as a feed-forward network.
     *
     * @param tokens indices of the tokens
     * @return the same buffers
     */
    public RowStep of(int... tokens) {
        return new RowStep(batch, select(hidden, tokens), rope, query, key, value, attended, select(gate, tokens), select(up, tokens), select(branch, tokens));
    }

    static float[][] select(float[][] rows, int... tokens) {
        return IntStream.of(tokens).mapToObj(token -> rows[token]).toArray(float[][]::new);
    }

    /** The states that logits are computed from: the last one of every session. */
    float[][] last() {
        return batch.isPrompt() ? new float[][] {hidden[hidden.length - 1]} : hidden;
    }

    /** The number of keys that the last token of the longest session attends to. */
    int longest() {
        int longest = 0;
        for (int position : batch.positions()) {
            longest = Math.max(longest, position + 1);
        }
        return longest;
    }
}
