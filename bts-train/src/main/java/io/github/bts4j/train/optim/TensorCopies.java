package io.github.bts4j.train.optim;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.core.torch.Tensors;
import java.util.Map;

/** Copies tensors in place. ({@code NDArray.set} would replace the storage by a Java buffer that is freed with the NDArray.) */
public final class TensorCopies {
    private TensorCopies() {}

    /**
     * Copies one tensor in place.
     *
     * @param target what is written
     * @param value a tensor of its shape
     */
    public static void copyInto(NDArray target, NDArray value) {
        Tensors.write(target, value);
    }

    /**
     * Copies tensors in place into those of the same names, all or none.
     *
     * @param targets what is written
     * @param values the values
     * @param what what they are, for the message
     * @throws IllegalArgumentException listing everything missing, extra or mis-shaped; nothing is copied then
     */
    public static void copyInto(Map<String, NDArray> targets, Map<String, NDArray> values, String what) {
        Problems problems = new Problems();
        targets.forEach((name, target) -> {
            NDArray value = values.get(name);
            if (value == null) {
                problems.add("missing: " + name + " " + target.getShape());
            } else if (!value.getShape().equals(target.getShape())) {
                problems.add(name + " has shape " + value.getShape() + ", this run needs " + target.getShape());
            }
        });
        values.keySet().stream().filter(name -> !targets.containsKey(name)).forEach(name -> problems.add("extra: " + name));
        problems.throwAsArgument("The saved " + what + " does not fit this run");
        targets.forEach((name, target) -> copyInto(target, values.get(name)));
    }
}
