package io.github.bts4j.core;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A causal language model: token ids in, logits of the next token out. Examples are a Llama and a stitched model.
 *
 * <p>Thread-safe for reading: many threads may run {@link #forward}, {@link #tokenLosses} and their own sessions at once.
 */
public interface CausalLm extends AutoCloseable {
    /** {@return the number of tokens in the vocabulary} */
    int vocabSize();

    /** {@return the model's context length in tokens} */
    int contextLength();

    /**
     * {@return the model's end tokens from its checkpoint, which are the {@code eos_token_id} of generation_config.json or else of
     * config.json, in the checkpoint's order; empty if unknown}
     */
    default Set<Integer> endTokens() {
        return Set.of();
    }

    /** {@return this model as a model with experts and gates; empty if it has no gates} */
    default Optional<GatedLm> gated() {
        return Optional.empty();
    }

    /**
     * Checks that all weights are finite.
     *
     * @throws UnsupportedException naming the first tensor with a NaN or infinite weight
     */
    default void requireFiniteWeights() {
        // a model without its own weights
    }

    /** {@return the model's device} */
    Device device();

    /**
     * Logits of every position.
     *
     * @param tokenIds int64 token ids {@code [batch, sequence]}, on any device
     * @return float32 logits {@code [batch, sequence, vocabulary]}, owned by the manager of {@code tokenIds}
     * @throws IllegalArgumentException if the shape is wrong or an id is out of range
     */
    NDArray forward(NDArray tokenIds);

    /**
     * Logits of every position of one sequence.
     *
     * @param tokenIds token ids, at least one
     * @return float32 logits {@code [sequence][vocabulary]}
     * @throws IllegalArgumentException if there is no id, or one does not fit
     */
    default float[][] logits(int... tokenIds) {
        try (DecodeSession session = newSession(tokenIds.length)) {
            return IntStream.of(tokenIds).mapToObj(session::append).toArray(float[][]::new);
        }
    }

    /**
     * The mean of the states that a text's logits are computed from, those after the last layer and its norm; of a stitched model, the hub's. It is the usual embedding of a text
     * by a causal model, before it is normalised.
     *
     * @param tokenIds token ids, at least one and at most the context
     * @return float32 {@code [hidden]}
     * @throws IllegalArgumentException if there is no id, or one does not fit
     * @throws UnsupportedException if the model has no such states, such as an ensemble
     */
    default float[] meanState(int... tokenIds) {
        throw new UnsupportedException("This model has no hidden states of its own: open a Llama or a stitched model");
    }

    /**
     * Next-token cross-entropy of every position but the last, without materialising the logits of all positions at once.
     *
     * @param tokens token ids {@code [batch][sequence]}, rows of one length, at least 2
     * @return losses {@code [batch][sequence - 1]} in nats: entry t is the loss of predicting token t + 1
     * @throws IllegalArgumentException if the rows differ in length or an id is out of range
     */
    float[][] tokenLosses(int[][] tokens);

    /**
     * The same of several batches.
     *
     * @param batches token ids {@code [batch][sequence]} of each
     * @return losses {@code [batch][sequence - 1]} in nats of each
     * @throws IllegalArgumentException if the rows of a batch differ in length or an id is out of range
     */
    default List<float[][]> tokenLosses(List<int[][]> batches) {
        return batches.stream().map(this::tokenLosses).toList();
    }

    /**
     * Opens a session for one sequence.
     *
     * @param capacity maximum number of tokens, prompt and generated together
     * @return a session with empty caches
     * @throws IllegalArgumentException if the capacity is below 1 or above {@link #contextLength}
     */
    DecodeSession newSession(int capacity);

    /**
     * Appends one token to each of several sessions. Models that support it read their weights once for all sessions, which makes
     * decoding many sequences together faster than one after the other.
     *
     * @param sessions sessions of this model, each at most once, of any lengths
     * @param tokenIds the next token of each session
     * @return float32 logits {@code [sessions][vocabSize]} of the token after it
     * @throws IllegalArgumentException if a token is out of range, a session is full, given twice or of another model, or the numbers differ; all
     *     sessions are unchanged
     */
    float[][] appendEach(List<? extends DecodeSession> sessions, int[] tokenIds);

    /**
     * Releases the model's tensors: refuses new calls, waits for running ones, and frees. Open sessions then throw
     * {@link IllegalStateException}. Closing twice does nothing.
     */
    @Override
    void close();
}
