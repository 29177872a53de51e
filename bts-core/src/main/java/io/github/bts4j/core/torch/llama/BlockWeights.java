package io.github.bts4j.core.torch.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Tensors;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Matrices that stay in ggml's blocks: a tensor of bytes {@code [out, bytes of a row]} under the matrix's name, and under that name and {@link #TYPE} ggml's number
 * of the type.
 */
final class BlockWeights {
    /** The suffix of a matrix's name in the name of its type. */
    static final String TYPE = "_type";

    private final NDManager owner;
    private final Map<GgmlType, NDArray> numbers = new EnumMap<>(GgmlType.class);

    BlockWeights(NDManager owner) {
        this.owner = owner;
    }

    /** The number of a type as a tensor; one for all matrices. */
    NDArray number(GgmlType type) {
        return numbers.computeIfAbsent(type, any -> {
            try (NDManager scope = owner.newSubManager()) {
                return Tensors.copy(owner, Tensors.of(scope, new float[] {type.code()}, 1), ElementType.INT64);
            }
        });
    }

    /** The type of a matrix in blocks. */
    static GgmlType type(NDArray number) {
        return GgmlType.ofCode((int) Tensors.toFloats(number)[0]).orElseThrow();
    }

    /** Whether a tensor is the number of a type. */
    static boolean isType(String name) {
        return name.endsWith(TYPE);
    }

    /** The names of the types that a model holds matrices in, in ggml's order. */
    static List<String> types(Map<String, NDArray> tensors) {
        return tensors.entrySet().stream().filter(entry -> isType(entry.getKey())).map(entry -> type(entry.getValue())).distinct().sorted().map(GgmlType::name).toList();
    }
}
