package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.torch.Tensors;

/**
 * What inference reads of a stitched model: its models, and a copy of the stitch weights as they were at one time, in the streams' type. Whoever began with a
 * snapshot ends with it: it is freed after its last session, view and call. Thread-safe.
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

    /** Whether inference that begins now reads this. */
    boolean isPresent() {
        return present;
    }

    /** Something newer is read from now on. */
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

    /** A pass with these weights. */
    StitchedForward pass() {
        return pass;
    }

    void free() {
        weights.close();
        scope.close();
    }
}
