package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.support.Problems;
import java.util.Map;

/** Compares stitch tensors with those that a model needs, and reports all differences. */
final class StitchTensorCheck {
    private StitchTensorCheck() {}

    static void check(Map<String, NDArray> given, Map<String, NDArray> needed) {
        Problems problems = new Problems();
        needed.forEach((name, tensor) -> {
            NDArray value = given.get(name);
            if (value == null) {
                problems.add("missing: " + name + " " + tensor.getShape());
            } else if (!value.getShape().equals(tensor.getShape())) {
                problems.add(name + " has shape " + value.getShape() + ", this model needs " + tensor.getShape());
            }
        });
        given.keySet().stream().filter(name -> !needed.containsKey(name)).forEach(name -> problems.add("extra: " + name));
        problems.throwAsArgument("These stitch tensors do not fit the model (are the number of experts and the layout the same?)");
    }
}
