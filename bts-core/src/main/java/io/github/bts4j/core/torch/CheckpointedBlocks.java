package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Activation checkpointing: blocks of layers run forward, each by itself. What the backward passes of the last ones need is kept; the
 * other blocks run again in the backward pass. For one pass, on one thread. Internal.
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
         * @return what its backward pass needs, and the state behind the block as the last one
         */
        List<NDArray> forward(NDArray input);

        /**
         * Runs the backward pass.
         *
         * @param kept what {@link #forward} returned
         * @param gradient the gradient of the state behind the block
         * @return the gradient of the state before it
         */
        NDArray backward(List<NDArray> kept, NDArray gradient);
    }

    /**
     * A block whose backward pass is autograd's.
     *
     * @param kernels propagates gradients
     * @param scope owner of the results
     * @param graph makes the leaf in place of an input, and the state behind the block, with the graph between them
     */
    public record Recorded(TrainingKernels kernels, NDManager scope, Function<NDArray, List<NDArray>> graph) implements Block {
        @Override
        public List<NDArray> forward(NDArray input) {
            return graph.apply(input);
        }

        @Override
        public NDArray backward(List<NDArray> kept, NDArray gradient) {
            kernels.backwardEach(Autograd.OFF, kept.subList(1, 2), List.of(gradient));
            return kernels.leafGradients(scope, Autograd.OFF, kept.subList(0, 1)).get(0);
        }
    }

    /**
     * Prepares a pass.
     *
     * @param kernels detaches states and propagates gradients
     * @param scope owner of the results
     * @param checkpointing determines how many blocks keep what their backward pass needs
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
        List<NDArray> all = block.forward(input);
        NDArray output = kernels.detached(scope, Autograd.OFF, all.get(all.size() - 1));
        if (number >= firstKept) {
            kept.put(number, all);
        } else {
            all.forEach(NDArray::close);
        }
        return output;
    }

    /**
     * Runs the backward pass of a block, with what was kept or is recomputed.
     *
     * @param number its number in the pass
     * @param input the state before it, as in the forward pass
     * @param block its computation
     * @param gradient the gradient of the state after it
     * @return the gradient of the state before it
     */
    public NDArray backward(int number, NDArray input, Block block, NDArray gradient) {
        List<NDArray> all = kept.containsKey(number) ? kept.remove(number) : block.forward(input);
        NDArray below = block.backward(all, gradient);
        all.forEach(NDArray::close);
        return below;
    }
}
