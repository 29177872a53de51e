package io.github.bts4j.core.torch.llama;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.TensorEntry;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Int8 matrices with a scale per row. They are either quantised on load, one at a time to save memory, or stored in
 * the layout that compressed-tensors (0.9) calls {@code int-quantized}: int8 {@code X.weight} and {@code X.weight_scale}.
 */
final class Int8Weights {
    /** The suffix of a matrix's name in the name of its scales. */
    static final String SCALE = "_scale";

    private Int8Weights() {
    }

    /** Loads tensors by name, as stored. */
    interface Source {
        Map<String, NDArray> load(NDManager owner, Set<String> names) throws IOException;
    }

    /**
     * Loads tensors, and quantises matrices that are not stored as int8.
     *
     * @param owner owner of the results
     * @param names the tensors to load
     * @param all whether to quantise all matrices; otherwise only those stored as int8 are int8
     * @param type the precision to compute in
     * @param source loads the tensors
     * @return int8 matrices and their scales, and the other tensors in the given precision
     * @throws IOException if loading fails
     */
    static Map<String, NDArray> load(NDManager owner, Set<String> names, boolean all, ElementType type, Source source) throws IOException {
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        for (String name : names) {
            try (NDManager scope = owner.newSubManager()) {
                NDArray stored = source.load(scope, Set.of(name)).get(name);
                if (Tensors.type(stored) == ElementType.INT8) {
                    stored.attach(owner); // mapped if possible
                    tensors.put(name, stored);
                    NDArray scale = source.load(scope, Set.of(name + SCALE)).get(name + SCALE);
                    tensors.put(name + SCALE, Tensors.copy(owner, scale, type).reshape(scale.size()));
                } else if (all && stored.getShape().dimension() == 2) {
                    List<NDArray> quantised = Decoder.CALLS.quantize(owner, Autograd.OFF, stored, type);
                    tensors.put(name, quantised.get(0));
                    tensors.put(name + SCALE, quantised.get(1));
                } else {
                    tensors.put(name, Tensors.keep(owner, stored, type));
                }
            }
        }
        return tensors;
    }

    /** Whether an entry is a matrix that is stored as int8. */
    static boolean isStored(TensorEntry entry) {
        return entry.type() == ElementType.INT8 && entry.shape().size() == 2;
    }

    /**
     * Takes the scales of stored int8 matrices out of a checkpoint's entries.
     *
     * @param entries all entries by name; the scales are removed
     * @param folder the checkpoint, for messages
     * @return the scales by name
     * @throws ModelFormatException if a matrix does not have one scale per row
     */
    static Map<String, TensorEntry> takeScales(Map<String, TensorEntry> entries, Path folder) {
        Map<String, TensorEntry> scales = new LinkedHashMap<>();
        for (TensorEntry entry : List.copyOf(entries.values())) {
            if (isStored(entry)) {
                TensorEntry scale = entries.remove(entry.name() + SCALE);
                long rows = entry.shape().get(0);
                throwIf(scale == null || !scale.shape().equals(List.of(rows, 1L)) && !scale.shape().equals(List.of(rows)),
                        () -> new ModelFormatException(folder, "Tensor '" + entry.name() + "' is int8 and needs scales " + List.of(rows, 1L) + " in '" + entry.name() + SCALE
                                + "', which " + (scale == null ? "is missing" : "has the shape " + scale.shape())));
                scales.put(scale.name(), scale);
            }
        }
        return scales;
    }

    /** The tensors in the stored form: scales as columns, owned by the manager. */
    static Map<String, NDArray> stored(NDManager manager, Map<String, NDArray> tensors) {
        Map<String, NDArray> stored = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> stored.put(name,
                name.endsWith(SCALE) ? Tensors.copy(manager, tensor, Tensors.type(tensor)).reshape(tensor.size(), 1) : tensor));
        return stored;
    }
}
