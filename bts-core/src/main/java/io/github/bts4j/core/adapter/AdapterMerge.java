package io.github.bts4j.core.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.Tensors;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Adds an adapter to its base's tensors. Sums are taken in float32 and rounded once. Not for concurrent use.
 *
 * <p>Tensors that an adapter does not change are the base's. Tied embeddings become two tensors if the adapter changes one of them, as in PEFT.
 */
public final class AdapterMerge {
    private static final AdapterKernels KERNELS = Kernels.of(AdapterKernels.class);
    private static final String TABLE = "model.embed_tokens.weight";
    private static final String LAYERS = "model.layers.";
    private static final String HEAD = "lm_head.weight";

    private final NDManager owner;
    private final ElementType type;

    /**
     * Merges into one type.
     *
     * @param owner owner of the new tensors
     * @param type their type
     */
    public AdapterMerge(NDManager owner, ElementType type) {
        this.owner = owner;
        this.type = type;
    }

    /**
     * Merges.
     *
     * @param adapter the adapter
     * @param base the base's tensors by their names, on the owner's device
     * @return all tensors of the merged model: unchanged ones of the base, and new ones; includes {@code lm_head.weight} if it is a separate tensor
     * @throws IOException if the adapter's file cannot be read
     */
    public Map<String, NDArray> merge(Adapter adapter, Map<String, NDArray> base) throws IOException {
        return with(adapter, base, (merged, module, part) -> merge(merged, module, part));
    }

    /**
     * Keeps the low-rank parts of the layers beside the base's matrices; the rest is merged.
     *
     * @param adapter the adapter
     * @param base the base's tensors by their names, on the owner's device
     * @return all tensors of the model, and for each adapted module of a layer {@code X.lora_A [r, in]}, {@code X.lora_B [out, r]} with its scale in it, in memory transposed, and of DoRA
     *     {@code X.lora_factor [out]}
     * @throws IOException if the adapter's file cannot be read
     */
    public Map<String, NDArray> beside(Adapter adapter, Map<String, NDArray> base) throws IOException {
        return with(adapter, base, (merged, module, part) -> {
            if (module.startsWith(LAYERS)) {
                put(merged, module, part);
            } else {
                merge(merged, module, part);
            }
        });
    }

    private void put(Map<String, NDArray> tensors, String module, LowRank<NDArray> part) {
        tensors.put(module + ".lora_A", Tensors.copy(owner, part.a(), type));
        tensors.put(module + ".lora_B", KERNELS.scaled(owner, Autograd.OFF, part.b(), part.scaling(), type));
        part.magnitude().ifPresent(magnitude -> tensors.put(module + ".lora_factor", KERNELS.factor(owner, Autograd.OFF, tensors.get(module + ".weight"), part.a(), part.b(), part.scaling(),
                magnitude, type)));
        mergeBias(tensors, module, part);
    }

    private interface Way {
        void add(Map<String, NDArray> tensors, String module, LowRank<NDArray> part);
    }

    private Map<String, NDArray> with(Adapter adapter, Map<String, NDArray> base, Way way) throws IOException {
        Map<String, NDArray> merged = new LinkedHashMap<>(base);
        if (changes(adapter, TABLE) || changes(adapter, HEAD)) {
            merged.putIfAbsent(HEAD, base.get(TABLE));
        }
        merged.putAll(new AdapterTensorLoader(owner, type).whole(adapter));
        try (NDManager scope = owner.newSubManager()) {
            new AdapterTensorLoader(scope, ElementType.FLOAT32).modules(adapter).forEach((module, part) -> way.add(merged, module, part));
        }
        return merged;
    }

    private static boolean changes(Adapter adapter, String name) {
        return adapter.whole().containsKey(name) || adapter.modules().containsKey(name.substring(0, name.lastIndexOf('.')));
    }

    private void merge(Map<String, NDArray> merged, String module, LowRank<NDArray> part) {
        NDArray weight = merged.get(module + ".weight");
        List<NDArray> magnitude = part.magnitude().map(List::of).orElse(List.of());
        merged.put(module + ".weight", part.isEmbedding() ? KERNELS.mergeTable(owner, Autograd.OFF, weight, part.a(), part.b(), part.scaling(), magnitude, type)
                : KERNELS.merge(owner, Autograd.OFF, weight, part.a(), part.b(), part.scaling(), magnitude, type));
        mergeBias(merged, module, part);
    }

    private void mergeBias(Map<String, NDArray> merged, String module, LowRank<NDArray> part) {
        part.bias().ifPresent(bias -> {
            NDArray own = merged.get(module + ".bias");
            NDArray before = own == null ? Tensors.zeros(owner, type, owner.getDevice(), bias.size()) : own;
            merged.put(module + ".bias", KERNELS.mergeBias(owner, Autograd.OFF, before, bias, part.scaling(), type));
        });
    }
}
