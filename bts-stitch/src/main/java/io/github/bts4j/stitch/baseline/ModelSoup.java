package io.github.bts4j.stitch.baseline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.util.List;

/** Model soup: one model whose weights are the average of several models' (Wortsman et al., arXiv 2203.05482). */
public final class ModelSoup {
    private ModelSoup() {}

    /**
     * The uniform average, computed in float32: {@code theta = (theta_0 + .. + theta_n) / (n + 1)}.
     *
     * @param models models of one shape, at least one; they are only read
     * @return a float32 model on the first one's device, which the caller closes
     * @throws IllegalArgumentException if there is no model, or one has different dimensions from the first
     * @throws IllegalStateException if the weights of one are quantised
     */
    public static LlamaModel average(List<LlamaModel> models) {
        if (models.isEmpty()) {
            throw new IllegalArgumentException("A soup needs at least one model");
        }
        return TensorByTensor.model("soup", "averaged", models, (scope, tensor, number) -> average(scope, models, tensor));
    }

    private static NDArray average(NDManager scope, List<LlamaModel> models, String name) {
        NDArray sum = Tensors.copy(scope, models.get(0).tensors().get(name), ElementType.FLOAT32);
        for (LlamaModel model : models.subList(1, models.size())) {
            try (NDArray next = Tensors.place(scope, model.tensors().get(name), ElementType.FLOAT32, sum.getDevice())) {
                sum.addi(next);
            }
        }
        return sum.divi(models.size());
    }
}
