package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
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

    /**
     * Holds what is trained for one step, so that nobody frees it meanwhile.
     *
     * @return a lease, which the same thread closes
     * @throws IllegalStateException if the model is closed
     */
    default Lifetime.Lease use() {
        return () -> { };
    }

    /**
     * Says that a training runs, which keeps others from a second one and from exchanging what is trained.
     *
     * @return what says that it has ended
     * @throws IllegalStateException if the model is closed, or being trained already
     */
    default Lifetime.Lease begin() {
        return () -> { };
    }

    /**
     * Writes to the parameters so that whoever computes with the model meanwhile sees them as they were before or as they are afterwards.
     *
     * @param writing what writes to {@link #parameters}
     */
    default void write(Runnable writing) {
        writing.run();
        weightsChanged();
    }
}
