package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.torch.llama.DocumentRows;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the trainer trains: the stitch layers of a stitched model, or all weights of one expert. Not thread-safe. */
public interface Trainable {
    /** The entry of {@link #identity} for the trained tensors at the start. */
    String STARTING_WEIGHTS = StartingWeights.NAME;

    /** {@return the trained tensors in float32 by name, in a fixed order} */
    Map<String, NDArray> parameters();

    /** {@return the manager of the tensors, on their device} */
    NDManager manager();

    /**
     * Forward and backward pass of one micro-batch: adds the gradient of {@code tokenWeight * sum of token losses} to the
     * parameters' gradients.
     *
     * @param tokens token ids {@code [batch][sequence + 1]}
     * @param tokenWeight weight of each token's loss
     * @param seed seed of the pass's random draws
     * @return losses in nats {@code [batch * sequence]}
     */
    float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed);

    /**
     * The same of sequences that hold whole documents: what they do not count has neither loss nor gradient, and no token attends to another document.
     *
     * @param rows the sequences
     * @param tokenWeight weight of each token's loss
     * @param seed seed of the pass's random draws
     * @return losses in nats {@code [batch * sequence]}, 0 where nothing counts
     * @throws UnsupportedException if what is trained takes stretches of text only
     */
    default float[] accumulateGradients(DocumentRows rows, float tokenWeight, long seed) {
        throw new UnsupportedException("Conversations cannot be trained on here: " + getClass().getSimpleName() + " takes stretches of text only");
    }

    /**
     * All passes of an optimizer step, by lanes: each lane adds the gradients of its passes from zero, and then the lanes' gradients are added in their order. So a step is the
     * same wherever its lanes are computed. With one lane the passes add to the gradients as they are.
     *
     * @param passes the passes; gradients are zero before them
     * @param lanes the number of lanes, see {@link Pass#lanes}
     * @return each pass's losses in nats {@code [batch * sequence]}
     */
    default List<float[]> accumulateStep(List<Pass> passes, int lanes) {
        return LaneSum.run(this, passes, lanes);
    }

    /**
     * Next-token losses with the current weights, for validation: without random draws, and without changing gradients.
     *
     * @param tokens token ids {@code [batch][sequence + 1]}
     * @return losses in nats {@code [batch][sequence]}
     */
    float[][] tokenLosses(int[][] tokens);

    /**
     * The same of several batches.
     *
     * @param batches token ids {@code [batch][sequence + 1]} of each
     * @return losses in nats {@code [batch][sequence]} of each
     */
    default List<float[][]> tokenLosses(List<int[][]> batches) {
        return batches.stream().map(this::tokenLosses).toList();
    }

    /**
     * How to open this training in another process, from the same files.
     *
     * @return its source; empty if it has something that no file has
     */
    default Optional<TrainingSource> source() {
        return Optional.empty();
    }

    /**
     * An estimate of what another process needs to compute passes, beside mapped files and the Java heap: trained tensors, gradients, activations, libtorch.
     *
     * @param rows sequences of a pass
     * @param length tokens of a sequence
     * @return bytes; 0 if there is no estimate
     */
    default long passBytes(int rows, int length) {
        return 0;
    }

    /** Called after the parameters have changed. */
    void weightsChanged();

    /**
     * {@return the identity of this training by name: the SHA-256 of base files, layouts, sizes} A checkpoint with a different
     * identity is refused.
     */
    Map<String, String> identity();

    /**
     * Holds the trained model for one step, so that no other thread frees it.
     *
     * @return a lease, which the same thread closes
     * @throws IllegalStateException if the model is closed
     */
    default Lifetime.Lease use() {
        return () -> { };
    }

    /**
     * Registers a running training. Until it ends, a second training is refused, and so are changes of experts.
     *
     * @return closing it ends the registration
     * @throws IllegalStateException if the model is closed, or already being trained
     */
    default Lifetime.Lease begin() {
        return () -> { };
    }

    /**
     * Writes to the parameters atomically: other threads that compute with the model see them either before or after the write.
     *
     * @param writing writes to {@link #parameters}
     */
    default void write(Runnable writing) {
        writing.run();
        weightsChanged();
    }
}
