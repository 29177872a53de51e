package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.CachedSession;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.GatedSession;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.FrozenGatedLm;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Frozen models joined by stitch layers: one language model whose only trainable weights are the stitches'.
 *
 * <p>Thread-safe. {@link #removeExpert}, {@link #addExpert}, {@link #setStitchTensors} and {@link #weightsChanged} apply to calls, sessions and views that begin
 * afterwards. Open ones keep the experts and weights that they began with, which are freed after the last of them. Closing the model also closes its base models.
 */
public final class StitchedModel extends FrozenGatedLm {
    static final StitchKernels KERNELS = Kernels.of(StitchKernels.class);

    private final StitchState state;

    StitchedModel(NDManager manager, List<Member> members, List<LlamaModel> models, StitchConfig config, LoadOptions options) {
        super("stitched", manager);
        StitchWeights weights = StitchWeights.initial(manager, config, models.size() - 1, models.get(0).config().hiddenSize());
        this.state = new StitchState(manager, StitchParts.of(lifetime(), members, models, config, weights, List.of()), options);
    }

    /** {@return a builder of stitched models} */
    public static StitchedModelBuilder builder() {
        return new StitchedModelBuilder();
    }

    /** {@return the layout of the stitch layers} */
    public StitchConfig config() {
        return state.parts().config();
    }

    /** {@return the base models' names and folders, hub first} */
    public List<Member> members() {
        return state.parts().members();
    }

    /** {@return the frozen models, hub first, then the experts; closed with this model} */
    public List<LlamaModel> models() {
        return state.parts().models();
    }

    /** {@return n, the number of experts beside the hub} */
    public int numExperts() {
        return models().size() - 1;
    }

    /** {@return d, the width of the residual streams} */
    public int hiddenSize() {
        return models().get(0).config().hiddenSize();
    }

    /** {@return the type that the streams are computed in, which is the hub's} */
    public ElementType type() {
        return models().get(0).type();
    }

    /** {@return the K stitch layers with their float32 weights} */
    public List<StitchLayer> stitchLayers() {
        return state.parts().weights().layers();
    }

    /**
     * {@return the stitch weights, in float32, by their names in a stitch checkpoint} Write to them within {@link
     * #writeStitchTensors}, or call {@link #weightsChanged} afterwards. They are valid until experts or all stitch weights are
     * replaced.
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
    public void setStitchTensors(Map<String, NDArray> values) {
        lifetime().hold(() -> state.replace(old -> old.withWeights(manager, values, old.lineage())));
    }

    /** Takes the stitch weights of a checkpoint, and what happened to them. */
    void restore(Map<String, NDArray> values, List<LineageStep> lineage) {
        state.replace(old -> old.withWeights(manager, values, lineage));
    }

    /** Must be called after the stitch weights were written to. Inference that begins afterwards uses the new weights. */
    public void weightsChanged() {
        writeStitchTensors(() -> { });
    }

    /**
     * Writes to the stitch weights atomically: computations that begin before use the old weights, later ones the new weights.
     *
     * @param writing writes to {@link #stitchTensors}
     * @throws IllegalStateException if the model is closed
     */
    public void writeStitchTensors(Runnable writing) {
        state.write(writing);
    }

    /**
     * Holds the experts and stitch weights for code that reads or writes {@link #stitchTensors} directly. Until the result is closed, on the same thread, they
     * are not freed, and changes are refused as during a training.
     *
     * @return a lease on the model and its current parts
     * @throws IllegalStateException if the model is closed
     */
    public Lifetime.Lease useStitchTensors() {
        return state.pin();
    }

    /**
     * Registers a training of the stitch weights. Until the result is closed, changes of experts and stitch weights and a second training are refused.
     *
     * @return closing it, on any thread, ends the registration
     * @throws IllegalStateException if the model is already being trained
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
        state.requireFiniteWeights();
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
        return held(now -> now.parts().gates().along(manager, now.pass(), tokenIds));
    }

    @Override
    protected GatedSession openGatedSession(int capacity) {
        return held(now -> now.pass().openSession(this, now.lifetime(), capacity, now.parts().gates()));
    }

    @Override
    public int contextLength() {
        return models().stream().mapToInt(LlamaModel::contextLength).min().orElseThrow();
    }

    @Override
    public NDArray forward(NDArray tokenIds) {
        return held(now -> now.pass().logits(manager, tokenIds));
    }

    @Override
    protected NDArray tokenLosses(NDManager step, int[][] tokens) {
        return held(now -> now.pass().losses(step, tokens, PassOptions.DEFAULT));
    }

    /**
     * Next-token losses, with frozen states from a cache: for repeated texts, such as those of a validation.
     *
     * @param tokens token ids {@code [batch][sequence]}
     * @param cache cache of the states
     * @return losses in nats {@code [batch][sequence - 1]}, equal to {@link #tokenLosses(int[][])} apart from the rounding that {@link FrozenStateCache} describes
     * @throws IllegalArgumentException if rows differ in length or an id is out of range
     */
    public float[][] tokenLosses(int[][] tokens, FrozenStateCache cache) {
        try (StitchState.Held<StitchSnapshot> held = state.hold(); NDManager step = manager.newSubManager()) {
            return TokenBatch.rows(held.it().pass().losses(step, tokens, PassOptions.DEFAULT.withFrozenStateCache(cache)).toFloatArray(), tokens.length);
        }
    }

    /**
     * Traces stitch layers in a forward pass.
     *
     * @param tokenIds int64 {@code [batch, sequence]}
     * @param stitches numbers of the stitches to trace, from 0
     * @return one trace per requested stitch, in ascending order; tensors belong to the manager of {@code tokenIds}
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
     * @return one trace per requested stitch, in ascending order; tensors belong to the manager of {@code tokenIds}
     * @throws IllegalArgumentException if there is no such expert, a number is not below K, or the ids do not fit
     */
    public List<GateTrace> gates(Set<String> experts, NDArray tokenIds, int... stitches) {
        try (StitchState.Held<StitchSnapshot> held = state.hold(); NDManager scope = manager.newSubManager();
                StitchedView view = experts.isEmpty() ? null : StitchedView.of(held.it(), experts)) {
            return (view == null ? held.it().pass() : view.pass()).gates(scope, tokenIds, IntStream.of(stitches).distinct().sorted().toArray());
        }
    }

    /**
     * One forward and backward pass of training: adds the gradient of {@code tokenWeight * sum of the token losses} to the gradients of those stitch tensors that require one. Below
     * the first stitch no graph is recorded, only the logits of a chunk of tokens exist at once, and no gradient reaches a frozen weight. On the CPU a large batch is processed in
     * slices of about 512 tokens, whose gradients are added: matrix products are as fast, and activations take less memory.
     *
     * @param tokens token ids {@code [batch][sequence]}; entry t predicts entry t + 1
     * @param tokenWeight weight of each token's loss, usually one over the tokens of the whole step
     * @param seed seed of the gate dropout in this pass
     * @return losses in nats, {@code [batch * (sequence - 1)]}
     * @throws IllegalArgumentException if rows differ in length or an id is out of range
     * @throws IllegalStateException if no stitch tensor requires a gradient
     */
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
        return accumulateGradients(tokens, tokenWeight, seed, PassOptions.DEFAULT);
    }

    /**
     * Like {@link #accumulateGradients(int[][], float, long)}, with options.
     *
     * @param tokens token ids {@code [batch][sequence]}; entry t predicts entry t + 1
     * @param tokenWeight weight of each token's loss, usually one over the tokens of the whole step
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

    /**
     * The same of sequences that hold whole documents, such as conversations.
     *
     * @param rows the sequences, what of them counts, and which tokens belong together
     * @param tokenWeight weight of each token's loss, usually one over the tokens of the whole step that count
     * @param seed seed of the gate dropout in this pass
     * @param options how the pass is computed
     * @return losses in nats, {@code [batch * sequence]}, 0 where nothing counts
     * @throws IllegalArgumentException if an id is out of range
     * @throws IllegalStateException if no stitch tensor requires a gradient
     */
    public float[] accumulateGradients(DocumentRows rows, float tokenWeight, long seed, PassOptions options) {
        try (StitchState.Held<StitchParts> held = state.holdParts()) {
            return new TrainingPass(manager, held.it(), options).run(rows, tokenWeight, seed);
        }
    }

    /** Reads the stitch weights while no other thread changes them. */
    void read(StitchState.Reading reading) throws IOException {
        state.read(reading);
    }

    /** One call of inference. */
    <T> T held(Function<StitchSnapshot, T> call) {
        try (StitchState.Held<StitchSnapshot> held = state.hold()) {
            return call.apply(held.it());
        }
    }

    @Override
    public FrozenGatedLm without(Set<String> experts) {
        return held(now -> StitchedView.of(now, experts));
    }

    @Override
    protected CachedSession<?> openSession(int capacity) {
        return held(now -> now.pass().openSession(this, now.lifetime(), capacity));
    }

    /**
     * Removes an expert without training: its projection and gate slice are deleted, and the softmax renormalises over the others.
     * The result is exactly the model with the remaining weights. Open sessions and views keep the expert and its memory until they are closed.
     *
     * @param name the expert's name
     * @throws IllegalArgumentException if there is no such expert, or it is the last one
     * @throws IllegalStateException if the model is closed or being trained
     */
    public void removeExpert(String name) {
        lifetime().hold(() -> state.replace(old -> old.without(manager, name)));
    }

    /**
     * Appends an expert: its projections start at the identity and its gate slices at zero, as
     * in {@link Init#AVERAGE}, with the biases of {@link Init#EXPERTS} if there are biases. The other weights do not change.
     *
     * @param name a new name
     * @param folder its checkpoint folder, or the folder of a PEFT adapter of the hub
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException listing all reasons why the expert does not fit
     * @throws IllegalStateException if the model is closed or being trained
     */
    @SuppressWarnings("try") // the lease is only held
    public void addExpert(String name, java.nio.file.Path folder) throws IOException {
        try (Lifetime.Lease use = lifetime().use()) {
            state.add(new Member(name, folder));
        }
    }

    /**
     * Puts another model, such as an expert that was trained further, into an expert's place: it takes over the gate slices and projections, which do not change. {@link StitchCheckpoint#lineage} records it.
     *
     * @param name the expert's name, which stays
     * @param folder the new model's checkpoint folder, or the folder of a PEFT adapter of the hub
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException if there is no such expert, or listing all reasons why the model does not fit
     * @throws IllegalStateException if the model is closed or being trained
     */
    @SuppressWarnings("try") // the lease is only held
    public void replaceExpert(String name, java.nio.file.Path folder) throws IOException {
        try (Lifetime.Lease use = lifetime().use()) {
            state.exchange(name, new Member(name, folder));
        }
    }

    @Override
    protected void release() {
        state.free();
    }
}
