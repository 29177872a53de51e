package io.github.bts4j.core.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.checkpoint.TensorEntry;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.TensorLoader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Loads the tensors of an adapter, as copies that share nothing with its file. Not for concurrent use. */
public final class AdapterTensorLoader {
    private final TensorLoader loader;

    /**
     * A loader into one type.
     *
     * @param owner owner of the tensors, which are on its device
     * @param type their type
     */
    public AdapterTensorLoader(NDManager owner, ElementType type) {
        this.loader = new TensorLoader(owner, stored -> type, false);
    }

    /**
     * The low-rank parts.
     *
     * @param adapter the adapter
     * @return name of the module to its parts, in the adapter's order
     * @throws IOException if the adapter's file cannot be read
     */
    public Map<String, LowRank<NDArray>> modules(Adapter adapter) throws IOException {
        List<TensorEntry> entries = new ArrayList<>();
        for (LowRank<TensorEntry> part : adapter.modules().values()) {
            entries.addAll(List.of(part.a(), part.b()));
            part.magnitude().ifPresent(entries::add);
            part.bias().ifPresent(entries::add);
        }
        Map<String, NDArray> tensors = loader.load(entries);
        Map<TensorEntry, NDArray> byEntry = new HashMap<>();
        entries.forEach(entry -> byEntry.put(entry, tensors.get(entry.name())));
        Map<String, LowRank<NDArray>> modules = new LinkedHashMap<>();
        adapter.modules().forEach((module, part) -> modules.put(module, part.map(byEntry)));
        return modules;
    }

    /**
     * The tensors that take the place of the base's.
     *
     * @param adapter the adapter
     * @return the base's name to tensor, in the adapter's order
     * @throws IOException if the adapter's file cannot be read
     */
    public Map<String, NDArray> whole(Adapter adapter) throws IOException {
        List<TensorEntry> entries = new ArrayList<>();
        adapter.whole().forEach((name, entry) -> entries.add(new TensorEntry(name, entry.type(), entry.shape(), entry.file(), entry.offset(), entry.length())));
        return loader.load(entries);
    }
}
