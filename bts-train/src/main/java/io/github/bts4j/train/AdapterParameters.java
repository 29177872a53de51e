package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.adapter.LowRank;
import io.github.bts4j.core.adapter.TrainedBiases;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.Tensors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * The trained tensors of an adapter, in float32.
 *
 * @param config what the adapter is
 * @param modules low-rank parts by the full names of their modules
 * @param whole tensors that are trained in full, by the base's names
 */
record AdapterParameters(AdapterConfig config, Map<String, LowRank<NDArray>> modules, Map<String, NDArray> whole) {
    private static final AdapterTrainingKernels KERNELS = Kernels.of(AdapterTrainingKernels.class);

    /** As PEFT starts: A uniform in {@code +- 1 / sqrt(in)}, B zero, DoRA's lengths those of the base's rows: the model is the base. */
    static AdapterParameters start(NDManager manager, AdapterConfig config, Map<String, NDArray> base, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Map<String, LowRank<NDArray>> modules = new LinkedHashMap<>();
        Map<String, NDArray> whole = new LinkedHashMap<>();
        base.forEach((name, tensor) -> {
            String module = name.substring(0, name.lastIndexOf('.'));
            if (isTrained(config, name, module)) {
                whole.put(name, Tensors.copy(manager, tensor, ElementType.FLOAT32));
            } else if (name.endsWith(".weight") && tensor.getShape().dimension() == 2 && config.adapts(module)) {
                modules.put(module, start(manager, config, module, tensor, random));
            }
        });
        return new AdapterParameters(config, modules, whole).checked();
    }

    private static boolean isTrained(AdapterConfig config, String name, String module) {
        return config.saves(module) || name.endsWith(".bias") && (config.biases() == TrainedBiases.ALL || config.biases() == TrainedBiases.LORA_ONLY && config.adapts(module));
    }

    private static LowRank<NDArray> start(NDManager manager, AdapterConfig config, String module, NDArray weight, SplittableRandom random) {
        int rank = config.rank(module);
        long in = weight.getShape().get(1);
        double bound = 1 / Math.sqrt(in);
        float[] values = new float[Math.toIntExact(rank * in)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-bound, bound);
        }
        NDArray a = Tensors.of(manager, values, rank, in);
        NDArray b = Tensors.zeros(manager, ElementType.FLOAT32, manager.getDevice(), weight.getShape().get(0), rank);
        Optional<NDArray> magnitude = config.dora() ? Optional.of(KERNELS.rowNorms(manager, Autograd.OFF, weight, a, b)) : Optional.empty();
        return new LowRank<>(a, b, magnitude, Optional.empty(), config.scaling(module), false);
    }

    /**
     * Refuses what is not trained here.
     *
     * @throws IllegalArgumentException saying which
     */
    AdapterParameters checked() {
        if (config.loraBias()) {
            throw new IllegalArgumentException("lora_bias = true is not trained here: train with false");
        }
        if (modules.isEmpty()) {
            throw new IllegalArgumentException("target modules = " + config.targets().modules() + " match no matrix of the layers; they are q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and"
                    + " down_proj");
        }
        modules.keySet().stream().filter(module -> !module.startsWith("model.layers.")).findFirst().ifPresent(module -> {
            throw new IllegalArgumentException("low-rank matrices of " + module + " are not trained here: train it in full (modules_to_save), or the layers alone");
        });
        modules.forEach((module, part) -> {
            long least = Math.min(part.a().getShape().get(1), part.b().getShape().get(0));
            if (config.rank(module) > least) {
                throw new IllegalArgumentException("r = " + config.rank(module) + " of " + module + " is above " + least + ", the smaller side of its matrix: nothing would be of low rank");
            }
        });
        return this;
    }

    /** The tensors under the names of PEFT's file, without its prefix. */
    Map<String, NDArray> named() {
        Map<String, NDArray> named = new LinkedHashMap<>();
        new TreeMap<>(modules).forEach((module, part) -> {
            named.put(module + ".lora_A.weight", part.a());
            named.put(module + ".lora_B.weight", part.b());
            part.magnitude().ifPresent(magnitude -> named.put(module + ".lora_magnitude_vector", magnitude));
        });
        named.putAll(new TreeMap<>(whole));
        return named;
    }

    /** The tensors of base and adapter as the decoder's kernels take them, with a graph where the mode records one. */
    Map<String, NDArray> beside(NDManager step, Autograd mode, Map<String, NDArray> base, ElementType type) {
        Map<String, NDArray> all = new LinkedHashMap<>(base);
        whole.forEach((name, tensor) -> all.put(name, KERNELS.typedParameter(step, mode, tensor, type)));
        modules.forEach((module, part) -> {
            List<NDArray> low = KERNELS.lowRank(step, mode, base.get(module + ".weight"), part.a(), part.b(), part.scaling(), part.magnitude().map(List::of).orElse(List.of()), type);
            all.put(module + ".lora_A", low.get(0));
            all.put(module + ".lora_B", low.get(1));
            if (low.size() > 2) {
                all.put(module + ".lora_factor", low.get(2));
            }
        });
        return all;
    }
}
