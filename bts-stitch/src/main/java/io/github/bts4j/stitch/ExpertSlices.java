package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Adds or removes one expert's stitch weights; the results belong to the given scope. */
final class ExpertSlices {
    private ExpertSlices() {}

    /** Drops the slices of model {@code index} (the hub is 0). */
    static Map<String, NDArray> without(NDManager scope, List<StitchLayer> layers, int index) {
        Map<String, NDArray> values = new LinkedHashMap<>();
        for (StitchLayer layer : layers) {
            List<NDArray> projections = new ArrayList<>(layer.projections());
            projections.remove(index - 1);
            put(values, layer, drop(scope, layer.gate(), index), bias -> drop(scope, bias, index), projections);
        }
        return values;
    }

    /** Adds slices for one more expert at the end. */
    static Map<String, NDArray> with(NDManager scope, List<StitchLayer> layers) {
        Map<String, NDArray> values = new LinkedHashMap<>();
        for (StitchLayer layer : layers) {
            long d = layer.gate().getShape().get(1);
            List<NDArray> projections = new ArrayList<>(layer.projections());
            projections.add(scope.eye((int) d));
            NDArray gate = append(scope, layer.gate(), scope.zeros(new Shape(1, d, d)));
            float added = layer.intoHub() ? 0 : -Init.BIAS;
            put(values, layer, gate, bias -> append(scope, bias, scope.full(new Shape(1, d), added)), projections);
        }
        return values;
    }

    private static void put(Map<String, NDArray> values, StitchLayer layer, NDArray gate, UnaryOperator<NDArray> change, List<NDArray> projections) {
        values.putAll(new StitchLayer(layer.index(), layer.afterLayer(), layer.intoHub(), gate, layer.gateBias().map(change), projections).tensors());
    }

    private static NDArray drop(NDManager scope, NDArray tensor, int index) {
        NDList kept = new NDList();
        for (int i = 0; i < tensor.getShape().get(0); i++) {
            if (i != index) {
                kept.add(attached(scope, tensor.get(i)));
            }
        }
        return attached(scope, NDArrays.stack(kept));
    }

    private static NDArray append(NDManager scope, NDArray tensor, NDArray slice) {
        return attached(scope, tensor.concat(slice, 0));
    }

    private static NDArray attached(NDManager scope, NDArray tensor) {
        tensor.attach(scope);
        return tensor;
    }
}
