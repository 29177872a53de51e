package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.List;

/** Layers with a backward pass of their own instead of autograd's: {@code layers.py} beside this interface. Internal. */
@KernelSource("layers.py")
public interface LayerKernels extends TrainingKernels {
    /** Tensors that each layer keeps. */
    int KEPT = 10;

    /**
     * Whether the methods below can compute layers of a model: those of Llama in float32 or bfloat16, not quantised and on the CPU, over whole sequences or documents in them.
     *
     * @param mode the autograd mode
     * @param m the model
     * @param rope its rotary tables
     * @return whether they can
     */
    boolean keepsLayers(Autograd mode, LlamaWeights m, TensorList rope);

    /**
     * Runs layers and keeps what their backward pass needs. No graph is recorded.
     *
     * @param owner owner of the results
     * @param mode the autograd mode
     * @param x the state before them, {@code [batch, sequence, hidden]}
     * @param m the model
     * @param rope its rotary tables
     * @param row the row of the first token
     * @param first the first layer, from 0
     * @param last one past the last layer
     * @return {@value #KEPT} tensors of each layer, and the state after the last one
     */
    List<NDArray> keptLayers(NDManager owner, Autograd mode, NDArray x, LlamaWeights m, TensorList rope, long row, long first, long last);

    /**
     * The backward pass of layers. The gradients of trained weights are added to those tensors' own.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param g the gradient of the state after them, {@code [batch, sequence, hidden]}
     * @param kept what {@link #keptLayers} returned
     * @param m the model
     * @param rope its rotary tables
     * @param row the row of the first token
     * @param first the first layer, from 0
     * @param last one past the last layer
     * @return the gradient of the state before them
     */
    NDArray layersGradient(NDManager owner, Autograd mode, NDArray g, List<NDArray> kept, LlamaWeights m, TensorList rope, long row, long first, long last);
}
