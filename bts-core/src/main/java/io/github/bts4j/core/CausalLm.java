package io.github.bts4j.core;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A causal language model: token ids in, logits of the next token out. One Llama model is one, and so is a stitched model.
 *
 * <p>Thread-safe for reading: many threads may run {@link #forward}, {@link #tokenLosses} and sessions of their own at once.
 */
public interface CausalLm extends AutoCloseable {
    /**
     * The number of tokens in the vocabulary.
     *
     * @return tokens
     */
    int vocabSize();

    /**
     * The longest sequence the model was made for.
     *
     * @return tokens
     */
    int contextLength();

    /**
     * The tokens that end a text of this model, as its checkpoint names them: the {@code eos_token_id} of generation_config.json, or else of config.json.
     *
     * @return token ids, in the checkpoint's order; none where nothing is known
     */
    default Set<Integer> endTokens() {
        return Set.of();
    }

    /**
     * This model as one that is made of several and weighs them token by token.
     *
     * @return the same model; empty if it has no gates
     */
    default Optional<GatedLm> gated() {
        return Optional.empty();
    }

    /**
     * Looks for what makes a model's numbers useless: a weight that is infinite or not a number.
     *
     * @throws UnsupportedException naming the first tensor that holds one
     */
    default void requireFiniteWeights() {
        // a model without weights of its own
    }

    /**
     * Where the model computes.
     *
     * @return the device
     */
    Device device();

    /**
     * Logits of every position.
     *
     * @param tokenIds int64 token ids {@code [batch, sequence]}, on any device
     * @return float32 logits {@code [batch, sequence, vocabulary]}, owned by the manager of {@code tokenIds}
     * @throws IllegalArgumentException if the shape or an id does not fit
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
     * Next-token cross-entropy of every position but the last, without materialising the logits of all positions at once.
     *
     * @param tokens token ids {@code [batch][sequence]}, rows of one length, at least 2
     * @return losses {@code [batch][sequence - 1]} in nats: entry t is the loss of predicting token t + 1
     * @throws IllegalArgumentException if the rows differ in length or an id is out of range
     */
    float[][] tokenLosses(int[][] tokens);

    /**
     * Opens a session for one sequence.
     *
     * @param capacity the most tokens it will hold, prompt and generated together
     * @return a session with empty caches
     * @throws IllegalArgumentException if the capacity is below 1 or above {@link #contextLength}
     */
    DecodeSession newSession(int capacity);

    /**
     * Appends one token to each of several sessions. Models that can, read their weights once for all of them: that is what makes
     * decoding many sequences together faster than one after the other.
     *
     * @param sessions sessions of this model, each at most once, at any lengths
     * @param tokenIds the next token of each session
     * @return float32 logits {@code [sessions][vocabSize]} of the token after it
     * @throws IllegalArgumentException if a token is out of range, a session is full, named twice or of another model, or the numbers differ; all
     *     sessions are unchanged
     */
    float[][] appendEach(List<? extends DecodeSession> sessions, int[] tokenIds);

    /**
     * Releases the model's tensors: refuses new calls, waits for those that run, and frees. Whatever is left over, such as an open session, throws
     * {@link IllegalStateException}. Closing twice is closing once.
     */
    @Override
    void close();
}
