package io.github.bts4j.core.torch.llama;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Projections that some families' checkpoints store as the rows of one tensor. In a loaded model each has its own name; each is a part of the file.
 *
 * @param fused the tensor's name in the checkpoint
 * @param parts the projections' tensors, from the first row on
 */
record FusedTensors(String fused, List<String> parts) {
    private static final List<String> SUFFIXES = List.of(".weight", ".bias", ".weight" + Int8Weights.SCALE);

    /** A checkpoint's entry, whatever the format. */
    interface Rows<E> {
        /** Rows from .. from + count - 1 under another name. */
        E part(E entry, String name, long from, long count);
    }

    private static List<FusedTensors> of(LlamaConfig config) {
        List<FusedTensors> all = new ArrayList<>();
        config.traits().family().spec().tensorNames().fusedProjections().forEach((fused, parts) -> {
            for (int layer = 0; layer < config.numLayers(); layer++) {
                String prefix = "model.layers." + layer + ".";
                SUFFIXES.forEach(suffix -> all.add(new FusedTensors(prefix + fused + suffix, parts.stream().map(part -> prefix + part + suffix).toList())));
            }
        });
        return all;
    }

    /**
     * Replaces fused tensors by their parts.
     *
     * @param config the model's configuration
     * @param entries entries by name; changed
     * @param shape the shape of an entry
     * @param rows makes parts
     * @param path the checkpoint, for messages
     */
    static <E> void split(LlamaConfig config, Map<String, E> entries, Function<E, List<Long>> shape, Rows<E> rows, Path path) {
        Map<String, List<Long>> expected = LlamaTensors.shapes(config);
        for (FusedTensors tensor : of(config)) {
            Optional<E> entry = Optional.ofNullable(entries.remove(tensor.fused));
            if (entry.isPresent()) {
                List<Long> counts = tensor.parts.stream().map(part -> expected.get(part.replace(Int8Weights.SCALE, "")).get(0)).toList();
                long sum = counts.stream().mapToLong(Long::longValue).sum();
                if (shape.apply(entry.get()).isEmpty() || shape.apply(entry.get()).get(0) != sum) {
                    throw new ModelFormatException(path, "Tensor '" + tensor.fused + "' has shape " + shape.apply(entry.get()) + ", config.json implies " + sum + " rows, of " + tensor.parts
                            + ": are both from the same checkpoint?");
                }
                long from = 0;
                for (int i = 0; i < counts.size(); i++) {
                    entries.put(tensor.parts.get(i), rows.part(entry.get(), tensor.parts.get(i), from, counts.get(i)));
                    from += counts.get(i);
                }
            }
        }
    }

    /**
     * The tensors as the family's checkpoints store them.
     *
     * @param config the model's configuration
     * @param tensors each projection by its own name
     * @return names of the checkpoint, and the rows of each, from the first on
     */
    static Map<String, List<NDArray>> stored(LlamaConfig config, Map<String, NDArray> tensors) {
        Map<String, FusedTensors> byPart = new LinkedHashMap<>();
        of(config).forEach(tensor -> tensor.parts.forEach(part -> byPart.put(part, tensor)));
        Map<String, List<NDArray>> stored = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> {
            FusedTensors whole = byPart.get(name);
            if (whole == null) {
                stored.put(name, List.of(tensor));
            } else {
                stored.computeIfAbsent(whole.fused, any -> whole.parts.stream().map(tensors::get).toList());
            }
        });
        return stored;
    }
}
