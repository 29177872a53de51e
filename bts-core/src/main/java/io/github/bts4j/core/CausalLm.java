package io.github.bts4j.core;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;

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

    /** Releases the model's tensors. */
    @Override
    void close();
}
