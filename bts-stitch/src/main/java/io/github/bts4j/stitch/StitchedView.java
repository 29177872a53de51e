package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.CachedSession;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.GatedSession;
import io.github.bts4j.core.torch.FrozenGatedLm;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A view of a stitched model with some experts switched off: their gates have a bias of minus infinity, and the softmax renormalises over the others, as if
 * they were removed. It uses a snapshot of the model and copies only the biases. Closing it does not close the model.
 */
final class StitchedView extends FrozenGatedLm {
    private final StitchSnapshot snapshot;
    private final StitchParts parts;
    private final StitchWeights.Argument biases;
    private final StitchedForward pass;

    private final List<Integer> off;

    static StitchedView of(StitchSnapshot snapshot, Set<String> experts) {
        return new StitchedView(snapshot, experts.stream().map(snapshot.parts()::expertIndex).toList());
    }

    StitchedView(StitchSnapshot snapshot, List<Integer> off) {
        super("stitched", Torch.manager().newSubManager(snapshot.parts().models().get(0).device()), snapshot.lifetime());
        this.snapshot = snapshot;
        this.off = off;
        this.parts = snapshot.parts();
        LlamaModel hub = parts.models().get(0);
        int models = parts.models().size();
        int hidden = hub.config().hiddenSize();
        List<NDArray> closed = new ArrayList<>();
        for (StitchLayer layer : parts.weights().layers()) {
            float[] values = layer.gateBias().map(Tensors::toFloats).orElseGet(() -> new float[models * hidden]);
            for (int expert : off) {
                java.util.Arrays.fill(values, expert * hidden, (expert + 1) * hidden, Float.NEGATIVE_INFINITY);
            }
            try (NDArray master = Tensors.of(manager, values, models, hidden)) {
                closed.add(Tensors.place(manager, master, hub.type(), manager.getDevice()));
            }
        }
        this.biases = StitchWeights.Argument.of(closed);
        this.pass = new StitchedForward(snapshot.pass(), biases);
    }

    @Override
    public boolean isPresent() {
        return snapshot.isPresent();
    }

    StitchedForward pass() {
        return pass;
    }

    @Override
    public int vocabSize() {
        return parts.models().get(0).vocabSize();
    }

    @Override
    public Set<Integer> endTokens() {
        return parts.models().get(0).endTokens();
    }

    @Override
    public List<String> modelNames() {
        return parts.gates().models();
    }

    @Override
    public GateWeights gates(int... tokenIds) {
        return lifetime().hold(() -> parts.gates().along(manager, pass, tokenIds));
    }

    @Override
    protected GatedSession openGatedSession(int capacity) {
        return pass.openSession(this, lifetime(), capacity, parts.gates());
    }

    @Override
    public FrozenGatedLm without(Set<String> experts) {
        return lifetime().hold(() -> new StitchedView(snapshot, Stream.concat(off.stream(), experts.stream().map(parts::expertIndex)).distinct().toList()));
    }

    @Override
    public int contextLength() {
        return parts.contextLength();
    }

    @Override
    public NDArray forward(NDArray tokenIds) {
        return lifetime().hold(() -> pass.logits(manager, tokenIds));
    }

    @Override
    public float[] meanState(int... tokenIds) {
        return lifetime().hold(() -> meanState(tokenIds, pass::hidden));
    }

    @Override
    protected NDArray tokenLosses(NDManager step, int[][] tokens) {
        return pass.losses(step, tokens, PassOptions.DEFAULT);
    }

    @Override
    protected CachedSession<?> openSession(int capacity) {
        return pass.openSession(this, lifetime(), capacity);
    }

    @Override
    protected void release() {
        biases.close();
    }
}
