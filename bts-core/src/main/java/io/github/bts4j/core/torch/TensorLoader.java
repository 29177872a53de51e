package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.TensorEntry;
import io.github.bts4j.core.support.ElementType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Turns the entries of a checkpoint into tensors: views of the memory-mapped files where type and device allow it, converted
 * copies elsewhere. Not thread-safe; it holds nothing that needs closing.
 */
public final class TensorLoader {
    private final NDManager owner;
    private final UnaryOperator<ElementType> conversion;
    private final Device device;
    private final boolean mapping;

    /**
     * A loader that keeps the stored types.
     *
     * @param owner owner of the tensors, which are on its device
     */
    public TensorLoader(NDManager owner) {
        this(owner, UnaryOperator.identity(), true);
    }

    /**
     * A loader that converts, and may copy everything.
     *
     * @param owner owner of the tensors, which are on its device
     * @param conversion maps a stored type to the wanted one
     * @param mapping whether tensors may stay views of the mapped files; false copies them, so that no file is needed once they are loaded
     */
    public TensorLoader(NDManager owner, UnaryOperator<ElementType> conversion, boolean mapping) {
        this.owner = owner;
        this.conversion = conversion;
        this.device = owner.getDevice();
        this.mapping = mapping;
    }

    /**
     * Loads tensors.
     *
     * @param entries their locations
     * @return name to tensor, in the order of the entries
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if a stored type has no tensor type here
     */
    public Map<String, NDArray> load(Iterable<TensorEntry> entries) throws IOException {
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        try (NDManager scope = owner.newSubManager(Device.cpu())) {
            Map<Path, NDArray> mapped = new HashMap<>();
            for (TensorEntry entry : entries) {
                NDArray bytes = mapped.get(entry.file());
                if (bytes == null) {
                    bytes = Tensors.map(scope, entry.file(), Files.size(entry.file()));
                    mapped.put(entry.file(), bytes);
                }
                tensors.put(entry.name(), tensor(scope, bytes, entry));
            }
        }
        return tensors;
    }

    private NDArray tensor(NDManager scope, NDArray bytes, TensorEntry entry) {
        ElementType stored = torchType(entry);
        ElementType wanted = conversion.apply(stored);
        long[] shape = entry.shape().stream().mapToLong(Long::longValue).toArray();
        boolean aligned = entry.offset() % stored.bytes() == 0;
        if (aligned && stored == wanted && !device.isGpu()) {
            NDArray view = Tensors.view(mapping ? owner : scope, bytes, stored, entry.offset(), shape);
            return mapping ? view : Tensors.copy(owner, view, wanted);
        }
        NDArray source = aligned ? Tensors.view(scope, bytes, stored, entry.offset(), shape)
                : Tensors.view(scope, Tensors.copyBytes(scope, bytes, entry.offset(), entry.length()), stored, 0, shape);
        return Tensors.place(owner, source, wanted, device);
    }

    /**
     * The tensor type of an entry.
     *
     * @param entry the entry
     * @return its type
     * @throws ModelFormatException if tensors of this library have no such type
     */
    public static ElementType torchType(TensorEntry entry) {
        throwIf(!entry.type().isTorch() || entry.type() == ElementType.BOOL,
                () -> new ModelFormatException(entry.file(), "Tensor '" + entry.name() + "' has type " + entry.type().fileName()
                        + ", which no tensor of this library has: weights are F32, F16 or BF16"));
        return entry.type();
    }
}
