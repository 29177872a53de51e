package io.github.bts4j.stitch.baseline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.FiniteTensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes one float32 model of several of one shape. */
final class TensorByTensor {
    private TensorByTensor() {}

    /** The new tensor of a name, in the scope given; {@code number} counts the tensors from 0. */
    interface Rule {
        NDArray tensor(NDManager scope, String name, int number);
    }

    /**
     * A model on the first one's device.
     *
     * @param done what is done to the models, for messages: "averaged"
     * @throws MismatchException naming the values of its configuration in which a model differs from the first
     * @throws io.github.bts4j.core.FileFormatException if a weight is NaN or infinite
     * @throws IllegalStateException if the weights of one are quantised
     */
    @SuppressWarnings("try") // the lease is only held
    static LlamaModel model(String name, String done, List<LlamaModel> models, Rule rule) {
        LlamaModel first = models.get(0);
        LlamaConfig config = first.config().withDtype(Precision.FLOAT32);
        for (LlamaModel model : models) {
            model.requireFullWeights(done);
            List<String> differences = model.config().differences(first.config(), Set.of("dtype", "bosTokenId", "eosTokenIds"));
            if (!differences.isEmpty()) {
                throw new MismatchException("Model '" + model.getName() + "' differs from '" + first.getName() + "' in " + String.join(", ", differences)
                        + ": only models of one shape can be " + done);
            }
            FiniteTensors.require(model.getName(), model.tensors());
        }
        // as in transformers, the text's end is a matter of generation, and the first model's
        List<Lifetime> read = models.stream().map(LlamaModel::lifetime).toList();
        try (Lifetime.Lease use = Lifetime.useAll(read); NDManager scope = Torch.manager().newSubManager(first.device())) {
            Map<String, NDArray> tensors = new LinkedHashMap<>();
            for (String tensor : first.tensors().keySet()) {
                tensors.put(tensor, rule.tensor(scope, tensor, tensors.size()));
            }
            return LlamaModel.of(name, config, tensors, LoadOptions.defaults().withDevice(first.device()));
        }
    }
}
