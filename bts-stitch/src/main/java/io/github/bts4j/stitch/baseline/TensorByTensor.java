package io.github.bts4j.stitch.baseline;

import static io.github.bts4j.core.support.Problems.throwIf;

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

/** Combines several models of the same shape into one float32 model. */
final class TensorByTensor {
    private TensorByTensor() {}

    /** Computes the new tensor of a name in a scope; {@code number} counts the tensors from 0. */
    interface Rule {
        NDArray tensor(NDManager scope, String name, int number);
    }

    /**
     * A model on the first one's device.
     *
     * @param done the operation, for messages: "averaged"
     * @throws MismatchException listing the configuration values in which a model differs from the first
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
            throwIf(!differences.isEmpty(),
                    () -> new MismatchException("Model '" + model.getName() + "' differs from '" + first.getName() + "' in " + String.join(", ", differences)
                            + ": only models of the same shape can be " + done));
            FiniteTensors.require(model.getName(), model.tensors());
        }
        // end tokens concern generation, as in transformers; the first model's are used
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
