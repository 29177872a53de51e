package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.LlamaWeights;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.KernelWeights;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The hub's layers with the low-rank matrices of all experts that are adapters of it, for steps in which their tokens are rows of one product. The models must outlive it. Thread-safe.
 */
final class JointWeights implements AutoCloseable {
    private static final StitchKernels KERNELS = StitchedModel.KERNELS;

    private final long[] together;
    private final NDManager manager;
    private final LlamaWeights weights;

    /** Of the models, hub first. */
    JointWeights(List<LlamaModel> models) {
        LlamaModel hub = models.get(0);
        List<LlamaModel> experts = models.stream().skip(1).filter(model -> model.decoder().isOver(hub.decoder())).toList();
        together = IntStream.range(0, models.size()).filter(i -> i == 0 || experts.contains(models.get(i))).asLongStream().toArray();
        manager = Torch.manager().newSubManager(hub.device());
        Map<String, NDArray> tensors = new LinkedHashMap<>(hub.tensors());
        if (!experts.isEmpty()) {
            hub.tensors().keySet().stream().filter(name -> name.startsWith("model.layers.") && name.endsWith("_proj.weight"))
                    .forEach(name -> add(tensors, name.substring(0, name.lastIndexOf('.')), experts));
        }
        LlamaConfig config = hub.config();
        weights = KernelWeights.of(KERNELS, Autograd.OFF, tensors, config, hub.type(), config.tieWordEmbeddings());
    }

    /** What the experts add to a module; nothing where none of them adds anything. */
    private void add(Map<String, NDArray> tensors, String module, List<LlamaModel> experts) {
        int rank = experts.stream().map(expert -> expert.tensors().get(module + ".lora_A")).mapToInt(a -> a == null ? 0 : Math.toIntExact(a.getShape().get(0))).max().orElse(0);
        if (rank == 0) {
            return;
        }
        NDArray weight = tensors.get(module + ".weight");
        try (NDManager scope = manager.newSubManager()) {
            stack(scope, tensors, module + ".lora_A", experts, rank, 0, 0, weight.getShape().get(1));
            stack(scope, tensors, module + ".lora_B", experts, rank, 1, weight.getShape().get(0), 0);
            if (experts.stream().anyMatch(expert -> expert.tensors().containsKey(module + ".lora_factor"))) {
                long out = weight.getShape().get(0);
                NDArray ones = Tensors.place(scope, scope.ones(new ai.djl.ndarray.types.Shape(out)), Tensors.type(weight), weight.getDevice());
                List<NDArray> factors = experts.stream().map(expert -> expert.tensors().getOrDefault(module + ".lora_factor", ones)).toList();
                tensors.put(module + ".lora_factor", KERNELS.stacked(manager, Autograd.OFF, factors, 0, out));
            }
        }
    }

    private void stack(NDManager scope, Map<String, NDArray> tensors, String name, List<LlamaModel> experts, int rank, int dim, long... shape) {
        NDArray weight = tensors.get(name.substring(0, name.lastIndexOf('.')) + ".weight");
        NDArray none = Tensors.zeros(scope, Tensors.type(weight), weight.getDevice(), shape);
        tensors.put(name, KERNELS.stacked(manager, Autograd.OFF, experts.stream().map(expert -> expert.tensors().getOrDefault(name, none)).toList(), dim, rank));
    }

    LlamaWeights weights() {
        return weights;
    }

    /** Numbers of the models, the hub's first. */
    long[] together() {
        return together;
    }

    @Override
    public void close() {
        weights.close();
        manager.close();
    }
}
