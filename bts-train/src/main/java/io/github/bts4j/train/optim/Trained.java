package io.github.bts4j.train.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.util.NativeResource;
import java.util.IdentityHashMap;

/** Counts the optimizers of each tensor: a tensor stops requiring gradients when the last one is closed. */
final class Trained {
    private static final IdentityHashMap<NDArray, Integer> OPTIMIZERS = new IdentityHashMap<>();

    private Trained() {}

    static void begin(NDArray tensor) {
        synchronized (OPTIMIZERS) {
            OPTIMIZERS.merge(tensor, 1, Integer::sum);
            tensor.setRequiresGradient(true);
        }
    }

    /** If the tensor is {@code held}, so that no other thread can free it, it stops requiring gradients; otherwise it may be gone. */
    static void end(NDArray tensor, boolean held) {
        synchronized (OPTIMIZERS) {
            boolean last = OPTIMIZERS.computeIfPresent(tensor, (any, count) -> count == 1 ? null : count - 1) == null;
            if (last && held && !((NativeResource<?>) tensor).isReleased()) {
                tensor.setRequiresGradient(false);
            }
        }
    }
}
