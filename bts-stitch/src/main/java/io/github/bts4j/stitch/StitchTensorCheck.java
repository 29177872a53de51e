package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.github.bts4j.core.support.Problems;
import java.util.LinkedHashMap;
import java.util.Map;

/** Compares stitch tensors with those that a model needs, and reports all differences. */
final class StitchTensorCheck {
    private StitchTensorCheck() {}

    static void check(Map<String, NDArray> given, Map<String, NDArray> needed) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        needed.forEach((name, tensor) -> shapes.put(name, tensor.getShape()));
        problems(given, shapes).throwAsArgument("These stitch tensors do not fit the model (are the number of experts and the layout the same?)");
    }

    /** What is wrong with the tensors of a checkpoint, given its layout. */
    static Problems problems(Map<String, NDArray> given, StitchConfig config, int numExperts, int hiddenSize) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        for (int j = 0; j < config.numStitches(); j++) {
            String prefix = "stitch." + j + ".";
            shapes.put(prefix + "gate.weight", new Shape(numExperts + 1, hiddenSize, hiddenSize));
            if (config.init().hasGateBias()) {
                shapes.put(prefix + "gate.bias", new Shape(numExperts + 1, hiddenSize));
            }
            for (int i = 1; i <= numExperts; i++) {
                shapes.put(prefix + "proj." + i + ".weight", new Shape(hiddenSize, hiddenSize));
            }
        }
        return problems(given, shapes);
    }

    private static Problems problems(Map<String, NDArray> given, Map<String, Shape> needed) {
        Problems problems = new Problems();
        needed.forEach((name, shape) -> {
            NDArray value = given.get(name);
            if (value == null) {
                problems.add("missing: " + name + " " + shape);
            } else if (!value.getShape().equals(shape)) {
                problems.add(name + " has shape " + value.getShape() + ", this model needs " + shape);
            }
        });
        given.keySet().stream().filter(name -> !needed.containsKey(name)).forEach(name -> problems.add("extra: " + name));
        return problems;
    }
}
