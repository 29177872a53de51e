package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.torch.Tensors;

/**
 * An immutable snapshot of a stitched model for inference: its models, and a copy of the stitch weights in the streams' type. A session, view or call uses the same
 * snapshot to its end; the snapshot is freed after the last of them. Thread-safe.
 */
final class StitchSnapshot {
    private final StitchParts parts;
    private final Lifetime lifetime;
    private final NDManager scope;
    private final StitchWeights.Arguments weights;
    private final StitchedForward pass;
    private volatile boolean present = true;

    StitchSnapshot(StitchParts parts, NDManager owner) {
        this.parts = parts;
        this.lifetime = Lifetime.shared("model", parts.lifetime());
        this.scope = owner.newSubManager();
        this.weights = StitchWeights.arguments(parts.weights().layers(), this::copy);
        this.pass = new StitchedForward(parts.streams(), parts.config(), weights);
    }

    private NDArray copy(NDArray master) {
        try (NDArray detached = master.stopGradient()) {
            return Tensors.copy(scope, detached, parts.streams().models().get(0).type());
        }
    }

    /** Whether this is the current snapshot. */
    boolean isPresent() {
        return present;
    }

    /** Marks the snapshot as outdated. */
    void passed() {
        present = false;
    }

    StitchParts parts() {
        return parts;
    }

    Lifetime lifetime() {
        return lifetime;
    }

    StitchWeights.Arguments weights() {
        return weights;
    }

    /** The forward pass with these weights. */
    StitchedForward pass() {
        return pass;
    }

    void free() {
        weights.close();
        scope.close();
    }
}
