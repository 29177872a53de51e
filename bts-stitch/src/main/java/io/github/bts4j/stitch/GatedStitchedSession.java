package io.github.bts4j.stitch;

import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.ForwardingSession;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.GatedSession;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.torch.FrozenLm;
import java.util.concurrent.atomic.AtomicReference;

/** A session of a stitched model that also returns gate weights; it decodes in libtorch. */
final class GatedStitchedSession extends ForwardingSession implements GatedSession {
    private final AtomicReference<GateWeights> gates;

    private GatedStitchedSession(DecodeSession session, AtomicReference<GateWeights> gates) {
        super(session);
        this.gates = gates;
    }

    static GatedSession open(FrozenLm model, Lifetime lifetime, StitchGates about, StitchedForward pass, int capacity) {
        AtomicReference<GateWeights> gates = new AtomicReference<>(about.none());
        return new GatedStitchedSession(pass.openSession(model, lifetime, capacity, means -> gates.set(about.of(means))), gates);
    }

    @Override
    public GateWeights gates() {
        return gates.get();
    }
}
