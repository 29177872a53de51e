package io.github.bts4j.core.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.TorchType;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Quantises the matrices of a model on load, one at a time, so that no more than one of them exists twice. */
final class Int8Weights {
    /** What the name of a matrix is followed by in the name of its scales. */
    static final String SCALE = "_scale";

    private Int8Weights() {
    }

    /** Gives the tensors of the given names, as stored. */
    interface Source {
        Map<String, NDArray> load(NDManager owner, Set<String> names) throws IOException;
    }

    /**
     * Loads and quantises.
     *
     * @param owner owner of the results
     * @param names the tensors to load
     * @param type the precision to compute in
     * @param source where they come from
     * @return int8 matrices and their scales, and the other tensors in the given precision
     * @throws IOException if loading fails
     */
    static Map<String, NDArray> load(NDManager owner, Set<String> names, TorchType type, Source source) throws IOException {
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        for (String name : names) {
            try (NDManager scope = owner.newSubManager()) {
                NDArray stored = source.load(scope, Set.of(name)).get(name);
                if (stored.getShape().dimension() == 2) {
                    List<NDArray> quantised = Decoder.CALLS.tensors(owner, Autograd.OFF, "quantize", stored, type.code());
                    tensors.put(name, quantised.get(0));
                    tensors.put(name + SCALE, quantised.get(1));
                } else {
                    tensors.put(name, Tensors.copy(owner, stored, type));
                }
            }
        }
        return tensors;
    }
}
