package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.List;

/** The next-token loss, of an evaluation and of a training step. The logits of all tokens never exist at once. */
public final class NextTokenLoss {
    private static final int LOSS_VALUES = 1 << 23;
    private static final int MOST_TOKENS = 256; // more are no faster
    private static final int TILE = 32; // rows at a time, of the products of some processors

    private NextTokenLoss() {}

    /** The number of tokens whose logits exist at once: 32 MiB of float32 at most, up to a vocabulary of 262,144. */
    private static long chunk(NDArray head) {
        long tokens = LOSS_VALUES / head.getShape().get(0);
        return Math.max(TILE, Math.min(MOST_TOKENS, tokens - tokens % TILE));
    }

    /**
     * The loss of every token.
     *
     * @param kernels the kernels
     * @param step owner of the result
     * @param hidden the state after the final norm, {@code [batch, sequence, hidden]}
     * @param head the head's weight {@code [vocabulary, hidden]}
     * @param labels int64 {@code [batch, sequence]}, the next tokens
     * @return float32 losses in nats, {@code [batch * sequence]}
     */
    public static NDArray of(DecoderKernels kernels, NDManager step, NDArray hidden, NDArray head, NDArray labels) {
        return kernels.tokenLoss(step, Autograd.OFF, hidden, head, labels, chunk(head));
    }

    /**
     * The loss of a training step and its backward pass: computes the gradient of the loss with respect to the last hidden state chunk by
     * chunk, so that the logits of all tokens never exist at once, and propagates it through the recorded graph.
     *
     * @param kernels the kernels
     * @param step owner of intermediate results
     * @param hidden the state after the final norm, {@code [batch, sequence, hidden]}, with its graph
     * @param head the head's weight {@code [vocabulary, hidden]}; if it requires a gradient, that is accumulated too
     * @param labels int64 {@code [batch, sequence]}, the next tokens
     * @param tokenWeight weight of each token's loss in the differentiated sum
     * @return losses in nats, {@code [batch * sequence]}
     * @throws IllegalStateException if no graph leads from the hidden state to a trained tensor
     */
    public static float[] backward(TrainingKernels kernels, NDManager step, NDArray hidden, NDArray head, NDArray labels, float tokenWeight) {
        throwIf(!Tensors.requiresGradient(hidden), NextTokenLoss::nothingToTrain);
        List<NDArray> found = kernels.lossGradient(step, Autograd.OFF, hidden, head, labels, tokenWeight, chunk(head));
        kernels.backward(Autograd.OFF, hidden, found.get(1), head, found.get(2));
        return found.get(0).toFloatArray();
    }

    /** {@return what a backward pass throws that has nothing to compute gradients of} */
    public static IllegalStateException nothingToTrain() {
        return new IllegalStateException("No tensor that the loss depends on requires a gradient: call setRequiresGradient(true) on the tensors to train, or let AdamW take them");
    }
}
