package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.List;

/** Training over the decoder's kernels: {@code training.py} beside this interface defines what each method computes. Internal. */
@KernelSource("training.py")
public interface TrainingKernels extends DecoderKernels {
    /**
     * States as leaves of a new graph.
     *
     * @param owner owner of the results
     * @param mode the autograd mode
     * @param h states
     * @return the same values, which require gradients
     */
    List<NDArray> leaves(NDManager owner, Autograd mode, List<NDArray> h);

    /**
     * The gradients that leaves have accumulated.
     *
     * @param owner owner of the results
     * @param mode the autograd mode
     * @param h leaves
     * @return their gradients; zeros if there are none
     */
    List<NDArray> leafGradients(NDManager owner, Autograd mode, List<NDArray> h);

    /**
     * A tensor without its graph.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param x a tensor
     * @return the same values
     */
    NDArray detached(NDManager owner, Autograd mode, NDArray x);

    /**
     * Propagates gradients through the graphs of several outputs.
     *
     * @param mode the autograd mode
     * @param outputs tensors; those without a graph are skipped
     * @param gradients the gradient of each
     */
    void backwardEach(Autograd mode, List<NDArray> outputs, List<NDArray> gradients);

    /**
     * One layer with a graph of its own.
     *
     * @param owner owner of the results
     * @param mode the autograd mode
     * @param x the state before the layer
     * @param m the model
     * @param rope its rotary tables
     * @param row the row of the first token
     * @param layer number of the layer, from 0
     * @return the leaf for {@code x}, and the state after the layer
     */
    List<NDArray> layerGraph(NDManager owner, Autograd mode, NDArray x, LlamaWeights m, TensorList rope, long row, long layer);

    /**
     * The loss and its gradients, chunk by chunk.
     *
     * @param owner owner of the results
     * @param mode the autograd mode
     * @param states {@code [batch, sequence, hidden]} after the final norm
     * @param head {@code [vocabulary, hidden]}
     * @param labels int64 {@code [batch, sequence]}, negative where a token does not count
     * @param tokenWeight weight of each token's loss
     * @param chunk tokens whose logits exist at once
     * @return losses in nats {@code [batch * sequence]}; the gradients with respect to states and head, the latter empty where the head is frozen
     */
    List<NDArray> lossGradient(NDManager owner, Autograd mode, NDArray states, NDArray head, NDArray labels, double tokenWeight, long chunk);

    /**
     * Propagates the loss's gradients through the graph.
     *
     * @param mode the autograd mode
     * @param output the state after the final norm, with its graph
     * @param gradient its gradient
     * @param head the head
     * @param gradHead its gradient, possibly empty
     */
    void backward(Autograd mode, NDArray output, NDArray gradient, NDArray head, NDArray gradHead);
}
