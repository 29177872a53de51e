package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.CachedSession;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.GatedSession;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.torch.FrozenGatedLm;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.TorchType;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Frozen models joined by stitch layers: one language model whose only trainable weights are the stitches'.
 *
 * <p>Thread-safe. {@link #removeExpert}, {@link #addExpert}, {@link #setStitchTensors} and {@link #weightsChanged} count for calls, sessions and views that begin
 * afterwards; those that were open go on with the experts and weights that they began with, which are freed after the last of them. Whoever loads the model closes it with its base models.
 */
public final class StitchedModel extends FrozenGatedLm {
    static final StitchKernels KERNELS = Kernels.of(StitchKernels.class);

    private final StitchState state;

    StitchedModel(NDManager manager, List<Member> members, List<LlamaModel> models, StitchConfig config, LoadOptions options) {
        super("stitched", manager);
        StitchWeights weights = StitchWeights.initial(manager, config, models.size() - 1, models.get(0).config().hiddenSize());
        this.state = new StitchState(manager, new StitchParts(lifetime(), members, models, config, weights), options);
    }

    /**
     * Starts to describe a stitched model.
     *
     * @return a builder
     */
    public static StitchedModelBuilder builder() {
        return new StitchedModelBuilder();
    }

    /**
     * The layout of the stitch layers.
     *
     * @return the configuration
     */
    public StitchConfig config() {
        return state.parts().config();
    }

    /**
     * The models that take part.
     *
     * @return names and folders, hub first
     */
    public List<Member> members() {
        return state.parts().members();
    }

    /**
     * The frozen models.
     *
     * @return hub first, then the experts; closed with this model
     */
    public List<LlamaModel> models() {
        return state.parts().models();
    }

    /**
     * The number of experts beside the hub.
     *
     * @return n
     */
    public int numExperts() {
        return models().size() - 1;
    }

    /**
     * The width of the residual streams.
     *
     * @return d
     */
    public int hiddenSize() {
        return models().get(0).config().hiddenSize();
    }

    /**
     * The type that the streams are computed in.
     *
     * @return the hub's type
     */
    public TorchType type() {
        return models().get(0).type();
    }

    /**
     * The stitch layers.
     *
     * @return K layers with their float32 weights
     */
    public List<StitchLayer> stitchLayers() {
        return state.parts().weights().layers();
    }

    /**
     * The stitch weights by their names in a stitch checkpoint. Write to them within {@link #writeStitchTensors}, or call {@link #weightsChanged} afterwards.
     * They are the model's until its experts or all its stitch weights are replaced.
     *
     * @return name to float32 tensor
     */
    public Map<String, NDArray> stitchTensors() {
        return state.parts().weights().tensors();
    }

    /**
     * Replaces all stitch weights; the values are copied.
     *
     * @param values tensors under the names of {@link #stitchTensors}
     * @throws IllegalArgumentException listing missing, extra and mis-shaped tensors
     * @throws IllegalStateException if the model is closed or being trained
     */
    @SuppressWarnings("try") // the lease is only held
    public void setStitchTensors(Map<String, NDArray> values) {
        try (Lifetime.Lease use = lifetime().use()) {
            state.replace(old -> old.withWeights(manager, values));
        }
    }

    /** Tells the model that its stitch weights were written to, as an optimizer does. Inference that begins afterwards reads what they are then. */
    public void weightsChanged() {
        writeStitchTensors(() -> { });
    }

    /**
     * Writes to the stitch weights so that nobody sees them half written: what begins before reads the weights as they were, what begins afterwards as they are.
     *
     * @param writing what writes to {@link #stitchTensors}
     * @throws IllegalStateException if the model is closed
     */
    public void writeStitchTensors(Runnable writing) {
        state.write(writing);
    }

    /**
     * Holds the experts and stitch weights for whoever reads or writes {@link #stitchTensors} itself: until the result is closed, on the same thread, they are
     * neither exchanged, which is refused as while a training runs, nor freed.
     *
     * @return a lease of the model and of what it consists of now
     * @throws IllegalStateException if the model is closed
     */
    public Lifetime.Lease useStitchTensors() {
        return state.pin();
    }

    /**
     * Says that the stitch weights are being trained. Until the result is closed, experts and stitch weights are not exchanged, and no second training begins.
     *
     * @return what ends the training when it is closed, on any thread
     * @throws IllegalStateException if the model is being trained already
     */
    public Lifetime.Lease beginTraining() {
        return state.train();
    }

    @Override
    public int vocabSize() {
        return models().get(0).vocabSize();
    }

    @Override
    public void requireFiniteWeights() {
        models().forEach(LlamaModel::requireFiniteWeights);
    }

    @Override
    public Set<Integer> endTokens() {
        return models().get(0).endTokens();
    }

    @Override
    public List<String> modelNames() {
        return state.parts().gates().models();
    }

    @Override
    public GateWeights gates(int... tokenIds) {
        try (StitchState.Held<StitchSnapshot> held = state.hold()) {
            return held.it().parts().gates().along(manager, held.it().pass(), tokenIds);
        }
    }

    @Override
    protected GatedSession openGatedSession(int capacity) {
        try (StitchState.Held<StitchSnapshot> held = state.hold()) {
            return GatedStitchedSession.open(this, held.it().lifetime(), held.it().parts().gates(), held.it().pass(), capacity);
        }
    }

    @Override
    public int contextLength() {
        return models().stream().mapToInt(LlamaModel::contextLength).min().orElseThrow();
    }

    @Override
    public NDArray forward(NDArray tokenIds) {
        try (StitchState.Held<StitchSnapshot> held = state.hold()) {
            return held.it().pass().logits(manager, tokenIds);
        }
    }

    @Override
    protected NDArray tokenLosses(NDManager step, int[][] tokens) {
        try (StitchState.Held<StitchSnapshot> held = state.hold()) {
            return held.it().pass().losses(step, tokens, Optional.empty());
        }
    }

    /**
     * Next-token losses with what no training changes from a cache: for texts that come back, such as those of a validation.
     *
     * @param tokens token ids {@code [batch][sequence]}
     * @param cache where the states are kept
     * @return losses in nats {@code [batch][sequence - 1]}; those of {@link #tokenLosses(int[][])}, apart from the rounding that {@link FrozenStateCache} describes
     * @throws IllegalArgumentException if rows differ in length or an id is out of range
     */
    public float[][] tokenLosses(int[][] tokens, FrozenStateCache cache) {
        try (StitchState.Held<StitchSnapshot> held = state.hold(); NDManager step = manager.newSubManager()) {
            return TokenBatch.rows(held.it().pass().losses(step, tokens, Optional.of(cache)).toFloatArray(), tokens.length);
        }
    }

    /**
     * Logits, and what chosen stitch layers did.
     *
     * @param tokenIds int64 {@code [batch, sequence]}
     * @param stitches numbers of the stitches to trace, from 0
     * @return one trace per wanted stitch, in ascending order; tensors belong to the manager of {@code tokenIds}
     * @throws IllegalArgumentException if a number is not below K, or the ids do not fit
     */
    public List<GateTrace> gates(NDArray tokenIds, int... stitches) {
        return gates(Set.of(), tokenIds, stitches);
    }

    /**
     * The same with some experts switched off, see {@link #without}.
     *
     * @param experts names of the experts to switch off
     * @param tokenIds int64 {@code [batch, sequence]}
     * @param stitches numbers of the stitches to trace, from 0
     * @return one trace per wanted stitch, in ascending order; tensors belong to the manager of {@code tokenIds}
     * @throws IllegalArgumentException if there is no such expert, a number is not below K, or the ids do not fit
     */
    public List<GateTrace> gates(Set<String> experts, NDArray tokenIds, int... stitches) {
        try (StitchState.Held<StitchSnapshot> held = state.hold(); NDManager scope = manager.newSubManager();
                StitchedView view = experts.isEmpty() ? null : StitchedView.of(held.it(), experts)) {
            return (view == null ? held.it().pass() : view.pass()).gates(scope, tokenIds, IntStream.of(stitches).distinct().sorted().toArray());
        }
    }

    /**
     * One forward and backward pass of training: adds the gradient of {@code tokenWeight * sum of the token losses} to the
     * gradients of those stitch tensors that require one. Below the first stitch no graph is recorded, the logits of a chunk
     * of tokens are all that exists at once, and no gradient ever reaches a frozen weight. On the CPU a batch of many tokens
     * goes through in slices of about 512, whose gradients add up: matrix products are as fast, and activations take less memory.
     *
     * @param tokens token ids {@code [batch][sequence]}; entry t predicts entry t + 1
     * @param tokenWeight what each token's loss counts, usually one over the tokens of the whole step
     * @param seed seed of the gate dropout in this pass
     * @return losses in nats, {@code [batch * (sequence - 1)]}
     * @throws IllegalArgumentException if rows differ in length or an id is out of range
     * @throws IllegalStateException if no stitch tensor requires a gradient
     */
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
        return accumulateGradients(tokens, tokenWeight, seed, PassOptions.DEFAULT);
    }

    /**
     * The same with a choice of how it is computed.
     *
     * @param tokens token ids {@code [batch][sequence]}; entry t predicts entry t + 1
     * @param tokenWeight what each token's loss counts, usually one over the tokens of the whole step
     * @param seed seed of the gate dropout in this pass
     * @param options how the pass is computed
     * @return losses in nats, {@code [batch * (sequence - 1)]}
     * @throws IllegalArgumentException if rows differ in length or an id is out of range
     * @throws IllegalStateException if no stitch tensor requires a gradient
     */
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed, PassOptions options) {
        try (StitchState.Held<StitchParts> held = state.holdParts()) {
            return new TrainingPass(manager, held.it(), options).run(tokens, tokenWeight, seed);
        }
    }

    /** Reads the stitch weights while nobody changes them. */
    void read(StitchState.Reading reading) throws IOException {
        state.read(reading);
    }

    /** For one call of inference. */
    StitchState.Held<StitchSnapshot> hold() {
        return state.hold();
    }

    @Override
    public FrozenGatedLm without(Set<String> experts) {
        try (StitchState.Held<StitchSnapshot> held = state.hold()) {
            return StitchedView.of(held.it(), experts);
        }
    }

    @Override
    protected CachedSession<?> openSession(int capacity) {
        try (StitchState.Held<StitchSnapshot> held = state.hold()) {
            return held.it().pass().openSession(this, held.it().lifetime(), capacity);
        }
    }

    /**
     * Removes an expert without any training: its projection and gate slice go, and the softmax renormalises over the rest.
     * The result computes exactly what a model of the remaining weights would. Sessions and views that are open keep the expert, and its memory, until they are closed.
     *
     * @param name the expert's name
     * @throws IllegalArgumentException if there is no such expert, or it is the last one
     * @throws IllegalStateException if the model is closed or being trained
     */
    @SuppressWarnings("try") // the lease is only held
    public void removeExpert(String name) {
        try (Lifetime.Lease use = lifetime().use()) {
            state.replace(old -> old.without(manager, name));
        }
    }

    /**
     * Adds an expert behind the others: its projections start at the identity and its gate slices at zero, as
     * {@link Init#AVERAGE} does, with the biases of {@link Init#EXPERTS} where there are any. The other weights stay what they are.
     *
     * @param name a new name
     * @param folder its checkpoint folder, or the folder of a PEFT adapter of the hub
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException listing everything in which the expert does not fit
     * @throws IllegalStateException if the model is closed or being trained
     */
    @SuppressWarnings("try") // the lease is only held
    public void addExpert(String name, java.nio.file.Path folder) throws IOException {
        try (Lifetime.Lease use = lifetime().use()) {
            state.add(new Member(name, folder));
        }
    }

    @Override
    protected void release() {
        state.free();
    }
}
