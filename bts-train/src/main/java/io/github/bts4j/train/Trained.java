package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.util.NativeResource;
import java.util.IdentityHashMap;

/** Which tensors require a gradient, for how many optimizers: one that is closed must not end what another still trains. */
final class Trained {
    private static final IdentityHashMap<NDArray, Integer> OPTIMIZERS = new IdentityHashMap<>();

    private Trained() {}

    static void begin(NDArray tensor) {
        synchronized (OPTIMIZERS) {
            OPTIMIZERS.merge(tensor, 1, Integer::sum);
            tensor.setRequiresGradient(true);
        }
    }

    /** If nobody may free it meanwhile, {@code held}, the tensor is told so; else it is another's, or gone. */
    static void end(NDArray tensor, boolean held) {
        synchronized (OPTIMIZERS) {
            boolean last = OPTIMIZERS.computeIfPresent(tensor, (any, count) -> count == 1 ? null : count - 1) == null;
            if (last && held && !((NativeResource<?>) tensor).isReleased()) {
                tensor.setRequiresGradient(false);
            }
        }
    }
}
