package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Activation checkpointing: blocks of layers run forward, each with its own graph. The last graphs are kept; in the backward pass, the
 * other blocks run again. For one pass, on one thread. Internal.
 */
public final class CheckpointedBlocks {
    private final TrainingKernels kernels;
    private final NDManager scope;
    private final int firstKept;
    private final Map<Integer, List<NDArray>> kept = new HashMap<>();

    /** The computation of a block. */
    public interface Block {
        /**
         * Runs the block.
         *
         * @param input the state before it
         * @return the leaf in place of the input, and the state behind the block, with the graph between them
         */
        List<NDArray> graph(NDArray input);
    }

    /**
     * Prepares a pass.
     *
     * @param kernels detaches states and propagates gradients
     * @param scope owner of the results
     * @param checkpointing determines how many graphs are kept
     * @param blocks number of blocks of the pass
     */
    public CheckpointedBlocks(TrainingKernels kernels, NDManager scope, ActivationCheckpointing checkpointing, int blocks) {
        this.kernels = kernels;
        this.scope = scope;
        this.firstKept = blocks - checkpointing.kept(blocks);
    }

    /**
     * Runs a block in the forward pass.
     *
     * @param number its number in the pass, from 0
     * @param input the state before it
     * @param block its computation
     * @return the state after it, without its graph
     */
    public NDArray forward(int number, NDArray input, Block block) {
        List<NDArray> graph = block.graph(input);
        NDArray output = kernels.detached(scope, Autograd.OFF, graph.get(1));
        if (number >= firstKept) {
            kept.put(number, graph);
        } else {
            graph.forEach(NDArray::close);
        }
        return output;
    }

    /**
     * Runs the backward pass of a block, with the graph that was kept or is recomputed.
     *
     * @param number its number in the pass
     * @param input the state before it, as in the forward pass
     * @param block its computation
     * @param gradient the gradient of the state after it
     * @return the gradient of the state before it
     */
    public NDArray backward(int number, NDArray input, Block block, NDArray gradient) {
        List<NDArray> graph = kept.containsKey(number) ? kept.remove(number) : block.graph(input);
        kernels.backwardEach(Autograd.OFF, graph.subList(1, 2), List.of(gradient));
        NDArray below = kernels.leafGradients(scope, Autograd.OFF, graph.subList(0, 1)).get(0);
        graph.forEach(NDArray::close);
        return below;
    }
}
