package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Activation checkpointing: blocks of layers run forward, each with a graph of its own, of which the last ones are kept; on the way back the others run once more.
 * For one pass, on one thread. Internal.
 */
public final class CheckpointedBlocks {
    private final TrainingKernels kernels;
    private final NDManager scope;
    private final int firstKept;
    private final Map<Integer, List<NDArray>> kept = new HashMap<>();

    /** What a block computes. */
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
     * Before a pass.
     *
     * @param kernels what detaches and sends gradients down
     * @param scope owner of the results
     * @param checkpointing how many graphs are kept
     * @param blocks how many blocks the pass has
     */
    public CheckpointedBlocks(TrainingKernels kernels, NDManager scope, ActivationCheckpointing checkpointing, int blocks) {
        this.kernels = kernels;
        this.scope = scope;
        this.firstKept = blocks - checkpointing.kept(blocks);
    }

    /**
     * Runs a block on the way forward.
     *
     * @param number its number in the pass, from 0
     * @param input the state before it
     * @param block what it computes
     * @return the state behind it, without its graph
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
     * Goes back through a block, with the graph that was kept or made again.
     *
     * @param number its number in the pass
     * @param input the state before it, as on the way forward
     * @param block what it computes
     * @param gradient the gradient of the state behind it
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
