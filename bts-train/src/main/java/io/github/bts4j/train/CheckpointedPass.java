package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.llama.Decoder;
import io.github.bts4j.core.llama.RopeRows;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The forward and backward pass of one micro-batch through one model, a layer at a time: the state between two layers is kept, the rest computed again. */
final class CheckpointedPass {
    private static final Kernels KERNELS = ExpertTraining.KERNELS;

    private final NDManager step;
    private final Decoder decoder;
    private final RopeRows rope;
    private final ActivationCheckpointing checkpointing;

    CheckpointedPass(NDManager step, Decoder decoder, RopeRows rope, ActivationCheckpointing checkpointing) {
        this.step = step;
        this.decoder = decoder;
        this.rope = rope;
        this.checkpointing = checkpointing;
    }

    float[] run(NDArray ids, NDArray labels, float tokenWeight) {
        int layers = decoder.config().numLayers();
        NDArray embedded = KERNELS.tensor(step, Autograd.ON, "embed", ids, decoder.weights());
        List<NDArray> before = new ArrayList<>(List.of(detached(embedded)));
        Deque<List<NDArray>> kept = new ArrayDeque<>();
        for (int layer = 0; layer < layers; layer++) {
            List<NDArray> graph = graph(before.get(layer), layer);
            before.add(detached(graph.get(1)));
            if (layer >= layers - checkpointing.kept(layers)) {
                kept.push(graph);
            } else {
                graph.forEach(NDArray::close);
            }
        }
        List<NDArray> leaf = KERNELS.tensors(step, Autograd.ON, "leaves", before.subList(layers, layers + 1));
        NDArray hidden = KERNELS.tensor(step, Autograd.ON, "final_norm", leaf.get(0), decoder.weights(), decoder.config().rmsNormEps());
        float[] losses = Decoder.backward(KERNELS, step, hidden, decoder.head(step), labels, tokenWeight);
        List<NDArray> gradient = below(leaf);
        for (int layer = layers - 1; layer >= 0; layer--) {
            List<NDArray> graph = kept.isEmpty() ? graph(before.get(layer), layer) : kept.pop();
            KERNELS.run(Autograd.OFF, "backward_each", graph.subList(1, 2), gradient);
            gradient.forEach(NDArray::close);
            gradient = below(graph.subList(0, 1));
            graph.forEach(NDArray::close);
            before.get(layer).close();
        }
        KERNELS.run(Autograd.OFF, "backward_each", List.of(embedded), gradient);
        return losses;
    }

    private List<NDArray> graph(NDArray state, int layer) {
        return KERNELS.tensors(step, Autograd.ON, "layer_graph", state, decoder.weights(), decoder.biases(), decoder.dims(),
                decoder.config().rmsNormEps(), rope.tensors(), rope.row(), layer);
    }

    private NDArray detached(NDArray tensor) {
        return KERNELS.tensor(step, Autograd.OFF, "detached", tensor);
    }

    private List<NDArray> below(List<NDArray> leaf) {
        return KERNELS.tensors(step, Autograd.OFF, "leaf_gradients", leaf);
    }
}
