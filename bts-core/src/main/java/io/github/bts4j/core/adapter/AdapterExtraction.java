package io.github.bts4j.core.adapter;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;

/**
 * What of a model can be written as an adapter of its base: of each matrix of the layers the best approximation of {@code W - W_0} of a given rank, by singular value decomposition.
 * Norms, biases, embeddings and head are left out, or kept whole.
 *
 * <p>Wide matrices are decomposed within the range of {@code (D D^T)^4 D} times random vectors, a few more than the rank, with {@code D = W - W_0} (Halko, Martinsson and Tropp,
 * arXiv 0909.4061): not quite the best approximation, in a small part of the time. Errors are those of the approximation itself. The random vectors are always the same.
 *
 * @param config what the adapter is: LoRA with a scale of one
 * @param modules low-rank parts by the full names of their modules
 * @param whole tensors that are kept whole
 * @param parts what became of each tensor that differs from the base's
 */
public record AdapterExtraction(AdapterConfig config, Map<String, LowRank<NDArray>> modules, Map<String, NDArray> whole, List<Part> parts) {
    private static final AdapterKernels KERNELS = Kernels.of(AdapterKernels.class);
    /** Matrices of at most so many rows or columns are decomposed exactly. */
    private static final int EXACT = 512;
    /** So are those of which the random vectors would be more than the third part. */
    private static final int SHARE = 3;
    private static final int POWERS = 4;

    /**
     * What became of a tensor.
     *
     * @param tensor its name
     * @param change how far it is from the base's, {@code |W - W_0| / |W_0|}
     * @param error how much of that the adapter does not hold, {@code |W - W_0 - B A| / |W - W_0|}: 1 for what was left out, 0 for what was kept whole
     */
    public record Part(String tensor, double change, double error) {}

    /**
     * Extracts an adapter.
     *
     * @param owner owner of the adapter's tensors
     * @param model the tensors of a model by their names
     * @param base those of its base, of the same shapes
     * @param rank the rank, at least 1; of a matrix with a smaller side, that
     * @param keepWhole whether norms, biases, embeddings and head that differ are kept
     * @return the adapter
     * @throws IllegalArgumentException if the models do not have the same tensors, or do not differ
     */
    public static AdapterExtraction of(NDManager owner, Map<String, NDArray> model, Map<String, NDArray> base, int rank, boolean keepWhole) {
        requireSameShapes(model, base);
        Map<String, LowRank<NDArray>> modules = new LinkedHashMap<>();
        Map<String, NDArray> whole = new LinkedHashMap<>();
        List<Part> parts = new ArrayList<>();
        model.forEach((name, tensor) -> {
            NDArray before = base.get(name);
            double difference = KERNELS.distance(Autograd.OFF, tensor, before);
            boolean isModule = name.startsWith("model.layers.") && name.endsWith("_proj.weight");
            double error = 1;
            if (isModule) { // all of them, so that the adapter has the same modules in every layer
                LowRank<NDArray> part = lowRank(owner, tensor, before, rank);
                modules.put(name.substring(0, name.lastIndexOf('.')), part);
                error = difference == 0 ? 0 : KERNELS.lowRankDistance(Autograd.OFF, tensor, before, part.a(), part.b()) / difference;
            } else if (keepWhole && difference > 0) {
                whole.put(name, Tensors.copy(owner, tensor, ElementType.FLOAT32));
                error = 0;
            }
            if (difference > 0) {
                parts.add(new Part(name, difference / norm(before), error));
            }
        });
        throwIf(parts.isEmpty(), () -> new IllegalArgumentException("The two models have the same weights: there is nothing to extract"));
        return new AdapterExtraction(config(modules, whole), modules, whole, List.copyOf(parts));
    }

    private static void requireSameShapes(Map<String, NDArray> model, Map<String, NDArray> base) {
        TreeSet<String> names = new TreeSet<>(model.keySet());
        names.addAll(base.keySet());
        for (String name : names) {
            boolean fits = model.containsKey(name) && base.containsKey(name) && model.get(name).getShape().equals(base.get(name).getShape());
            throwIf(!fits,
                    () -> new IllegalArgumentException("tensor '" + name + "' is " + shown(model.get(name)) + " in the model and " + shown(base.get(name)) + " in the base: an adapter is of a model of the same shape"));
        }
    }

    private static String shown(NDArray tensor) {
        return tensor == null ? "not" : "of shape " + tensor.getShape();
    }

    private static LowRank<NDArray> lowRank(NDManager owner, NDArray tensor, NDArray before, int rank) {
        long side = Math.min(tensor.getShape().get(0), tensor.getShape().get(1));
        long vectors = rank + Math.max(16, rank / 4L);
        List<NDArray> found = side <= EXACT || SHARE * vectors > side ? KERNELS.extract(owner, Autograd.OFF, tensor, before, Math.min(rank, side)) : randomized(owner, tensor, before, rank, vectors);
        return new LowRank<>(found.get(0), found.get(1), Optional.empty(), Optional.empty(), 1, false);
    }

    private static List<NDArray> randomized(NDManager owner, NDArray tensor, NDArray before, int rank, long vectors) {
        long columns = tensor.getShape().get(1);
        Random random = new Random(0);
        float[] values = new float[Math.toIntExact(columns * vectors)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        try (NDManager scope = owner.newSubManager()) {
            return KERNELS.extractRandomized(owner, Autograd.OFF, tensor, before, rank, Tensors.of(scope, values, columns, vectors), POWERS);
        }
    }

    private static double norm(NDArray tensor) {
        try (NDManager scope = Torch.manager().newSubManager(tensor.getDevice());
                NDArray zero = Tensors.zeros(scope, ElementType.FLOAT32, tensor.getDevice(), 1)) {
            return KERNELS.distance(Autograd.OFF, tensor, zero);
        }
    }

    private static AdapterConfig config(Map<String, LowRank<NDArray>> modules, Map<String, NDArray> whole) {
        int rank = modules.values().stream().mapToInt(part -> Math.toIntExact(part.a().getShape().get(0))).max().orElseThrow();
        Map<String, Integer> ranks = new LinkedHashMap<>();
        modules.forEach((module, part) -> {
            int own = Math.toIntExact(part.a().getShape().get(0));
            if (own != rank) {
                ranks.put(module.substring(module.lastIndexOf('.') + 1), own);
            }
        });
        Map<String, Double> alphas = new LinkedHashMap<>();
        ranks.forEach((module, own) -> alphas.put(module, (double) own));
        List<String> saved = whole.keySet().stream().filter(name -> name.endsWith(".weight")).map(name -> name.substring(0, name.lastIndexOf('.'))).toList();
        boolean biases = whole.keySet().stream().anyMatch(name -> name.endsWith(".bias"));
        return new AdapterConfig(Optional.empty(), rank, rank, false, false, false, biases ? TrainedBiases.ALL : TrainedBiases.NONE, AdapterTargets.of(new ModuleNames.AllLinear()), ranks, alphas, saved);
    }
}
