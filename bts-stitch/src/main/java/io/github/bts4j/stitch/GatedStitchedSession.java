package io.github.bts4j.stitch;

import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.ForwardingSession;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.GatedSession;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.torch.FrozenLm;
import java.util.ArrayList;
import java.util.List;

/** A session of a stitched model that also returns gate weights; it decodes in libtorch. */
final class GatedStitchedSession extends ForwardingSession implements GatedSession {
    private final List<GateWeights> passes; // of the last call of append, and those of appendPart before it
    private GateWeights gates;

    private GatedStitchedSession(DecodeSession session, List<GateWeights> passes, GateWeights none) {
        super(session);
        this.passes = passes;
        this.gates = none;
    }

    static GatedSession open(FrozenLm model, Lifetime lifetime, StitchGates about, StitchedForward pass, int capacity) {
        List<GateWeights> passes = new ArrayList<>();
        return new GatedStitchedSession(pass.openSession(model, lifetime, capacity, means -> passes.add(about.of(means))), passes, about.none());
    }

    @Override
    public float[] append(int... tokenIds) {
        float[] logits;
        try {
            logits = super.append(tokenIds);
        } catch (RuntimeException | Error e) {
            passes.clear();
            throw e;
        }
        gates = GateWeights.joined(passes);
        passes.clear();
        return logits;
    }

    @Override
    public GateWeights gates() {
        return gates;
    }
}
