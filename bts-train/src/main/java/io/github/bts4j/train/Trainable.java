package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Map;

/** What the trainer trains: the stitch layers of a stitched model, or all weights of one expert. For one thread. */
public interface Trainable {
    /**
     * The trained tensors.
     *
     * @return name to float32 tensor, in a fixed order
     */
    Map<String, NDArray> parameters();

    /**
     * Where the tensors live.
     *
     * @return a manager on their device
     */
    NDManager manager();

    /**
     * Forward and backward pass of one micro-batch: adds the gradient of {@code tokenWeight * sum of token losses} to the
     * parameters' gradients.
     *
     * @param tokens token ids {@code [batch][sequence + 1]}
     * @param tokenWeight what each token's loss counts
     * @param seed seed of whatever the pass draws at random
     * @return losses in nats {@code [batch * sequence]}
     */
    float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed);

    /**
     * Next-token losses with the present weights, for validation: nothing is drawn at random, and no gradient changes.
     *
     * @param tokens token ids {@code [batch][sequence + 1]}
     * @return losses in nats {@code [batch][sequence]}
     */
    float[][] tokenLosses(int[][] tokens);

    /** Called after the parameters were written to. */
    void weightsChanged();

    /**
     * What a run of this training is bound to: the SHA-256 of base files, layouts, sizes. A checkpoint with another identity is
     * refused.
     *
     * @return name to value
     */
    Map<String, String> identity();
}
