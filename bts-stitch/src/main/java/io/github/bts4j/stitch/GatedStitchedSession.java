package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.CachedSession;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.GatedSession;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.llama.KvCaches;
import io.github.bts4j.core.torch.FrozenLm;
import java.util.List;

/** A session of a stitched model that gives gate weights too; it decodes in libtorch. */
final class GatedStitchedSession implements GatedSession {
    private final StitchGates about;
    private final CachedSession<KvCaches> session;
    private volatile GateWeights gates;

    GatedStitchedSession(FrozenLm model, Lifetime lifetime, StitchGates about, StitchedForward pass, int capacity) {
        this.about = about;
        this.gates = about.none();
        this.session = pass.openSession(model, lifetime, capacity, this::found);
    }

    private void found(List<NDArray> means) {
        gates = about.of(means);
    }

    @Override
    public float[] append(int... tokenIds) {
        return session.append(tokenIds);
    }

    @Override
    public GateWeights gates() {
        return gates;
    }

    @Override
    public int length() {
        return session.length();
    }

    @Override
    public int capacity() {
        return session.capacity();
    }

    @Override
    public void close() {
        session.close();
    }
}
