package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.CheckpointedBlocks;
import io.github.bts4j.core.torch.LayerKernels;
import io.github.bts4j.core.torch.LlamaWeights;
import io.github.bts4j.core.torch.NextTokenLoss;
import io.github.bts4j.core.torch.llama.RopeRows;
import java.util.ArrayList;
import java.util.List;

/**
 * The forward and backward pass of one micro-batch through one model, layer by layer. With activation checkpointing, what a layer keeps for its backward pass is computed again, but for the last
 * layers. Layers that have a backward pass of their own use it, with and without checkpointing; others use autograd's, as the embeddings, the final norm and the head do.
 */
final class LayeredPass {
    private static final LayerKernels KERNELS = LlamaTraining.KERNELS;

    private final NDManager step;
    private final LlamaWeights weights;
    private final NDArray head;
    private final int layers;
    private final RopeRows rope;
    private final ActivationCheckpointing checkpointing;
    private final boolean own;

    LayeredPass(NDManager step, LlamaTraining.Weights weights, int layers, RopeRows rope, ActivationCheckpointing checkpointing) {
        this.step = step;
        this.weights = weights.llama();
        this.head = weights.head();
        this.layers = layers;
        this.rope = rope;
        this.checkpointing = checkpointing;
        this.own = KERNELS.keepsLayers(Autograd.OFF, this.weights, rope.tensors());
    }

    /** Whether such a pass is to be taken: else the graph of all layers is recorded at once. */
    boolean isNeeded() {
        return own || checkpointing != ActivationCheckpointing.OFF;
    }

    float[] run(TokenBatch.NextTokens next, float tokenWeight) {
        CheckpointedBlocks blocks = new CheckpointedBlocks(KERNELS, step, checkpointing, layers);
        NDArray embedded = KERNELS.embed(step, Autograd.ON, next.ids(), weights);
        List<NDArray> before = new ArrayList<>(List.of(KERNELS.detached(step, Autograd.OFF, embedded)));
        for (int layer = 0; layer < layers; layer++) {
            before.add(blocks.forward(layer, before.get(layer), block(layer)));
        }
        List<NDArray> leaf = KERNELS.leaves(step, Autograd.ON, before.subList(layers, layers + 1));
        NDArray hidden = KERNELS.finalNorm(step, Autograd.ON, leaf.get(0), weights);
        float[] losses = NextTokenLoss.backward(KERNELS, step, hidden, head, next.labels(), tokenWeight);
        NDArray gradient = KERNELS.leafGradients(step, Autograd.OFF, leaf).get(0);
        for (int layer = layers - 1; layer >= 0; layer--) {
            NDArray below = blocks.backward(layer, before.get(layer), block(layer), gradient);
            gradient.close();
            before.get(layer).close();
            gradient = below;
        }
        KERNELS.backwardEach(Autograd.OFF, List.of(embedded), List.of(gradient));
        return losses;
    }

    private CheckpointedBlocks.Block block(int layer) {
        if (own) {
            return new OwnBlock(layer);
        }
        return new CheckpointedBlocks.Recorded(KERNELS, step, state -> KERNELS.layerGraph(step, Autograd.ON, state, weights, rope.tensors(), rope.row(), layer));
    }

    /** A layer with a backward pass of its own. */
    private final class OwnBlock implements CheckpointedBlocks.Block {
        private final int layer;

        OwnBlock(int layer) {
            this.layer = layer;
        }

        @Override
        public List<NDArray> forward(NDArray input) {
            return KERNELS.keptLayers(step, Autograd.OFF, input, weights, rope.tensors(), rope.row(), layer, layer + 1);
        }

        @Override
        public NDArray backward(List<NDArray> kept, NDArray gradient) {
            return KERNELS.layersGradient(step, Autograd.OFF, gradient, kept, weights, rope.tensors(), rope.row(), layer, layer + 1);
        }
    }
}
