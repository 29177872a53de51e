package io.github.bts4j.stitch;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.FrozenLm;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.llama.Decoder;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.llama.LoadOptions;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.TorchType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Frozen models joined by stitch layers: one language model whose only trainable weights are the stitches'.
 *
 * <p>Thread-safe for reading; {@link #weightsChanged}, {@link #removeExpert} and {@link #addExpert} need the model to
 * themselves, without open sessions. Whoever loads it closes it, and the base models with it.
 */
public final class StitchedModel extends FrozenLm {
    static final Kernels KERNELS = Kernels.withLinear(Decoder.KERNELS, "/io/github/bts4j/stitch/stitch.py");

    private final LoadOptions options;
    private List<Member> members;
    private List<LlamaModel> models;
    private StitchConfig config;
    private Streams streams;
    private StitchWeights weights;

    private StitchedModel(NDManager manager, List<Member> members, List<LlamaModel> models, StitchConfig config, LoadOptions options) {
        super("stitched", manager);
        this.options = options;
        this.members = new ArrayList<>(members);
        this.models = new ArrayList<>(models);
        this.config = config;
        this.streams = new Streams(models);
        this.weights = StitchWeights.initial(manager, type(), config, numExperts(), hiddenSize());
    }

    /**
     * Starts to describe a stitched model.
     *
     * @return a builder
     */
    public static StitchedModelBuilder builder() {
        return new StitchedModelBuilder();
    }

    static StitchedModel open(List<Member> members, StitchConfig config, LoadOptions options, Map<String, Device> devices) throws IOException {
        StitchValidation.check(members, config);
        List<LlamaModel> models = new ArrayList<>();
        NDManager manager = Torch.manager().newSubManager(options.device());
        try {
            for (Member member : members) {
                // streams of one type: without a wish, the hub's
                LoadOptions same = models.isEmpty() ? options : options.withPrecision(models.get(0).precision());
                models.add(LlamaModel.open(member.folder(), same.withDevice(devices.getOrDefault(member.name(), options.device()))));
            }
            return new StitchedModel(manager, members, models, config, options);
        } catch (IOException | RuntimeException e) {
            models.forEach(LlamaModel::close);
            manager.close();
            throw e;
        }
    }

    /**
     * The layout of the stitch layers.
     *
     * @return the configuration
     */
    public StitchConfig config() {
        return config;
    }

    /**
     * The models that take part.
     *
     * @return names and folders, hub first
     */
    public List<Member> members() {
        return List.copyOf(members);
    }

    /**
     * The frozen models.
     *
     * @return hub first, then the experts; closed with this model
     */
    public List<LlamaModel> models() {
        return List.copyOf(models);
    }

    /**
     * The number of experts beside the hub.
     *
     * @return n
     */
    public int numExperts() {
        return models.size() - 1;
    }

    /**
     * The width of the residual streams.
     *
     * @return d
     */
    public int hiddenSize() {
        return models.get(0).config().hiddenSize();
    }

    /**
     * The type that the streams are computed in.
     *
     * @return the hub's type
     */
    public TorchType type() {
        return models.get(0).type();
    }

    /**
     * The stitch layers.
     *
     * @return K layers with their float32 weights
     */
    public List<StitchLayer> stitchLayers() {
        return weights.layers();
    }

    /**
     * The stitch weights by their names in a stitch checkpoint. After writing to them call {@link #weightsChanged}.
     *
     * @return name to float32 tensor
     */
    public Map<String, NDArray> stitchTensors() {
        return weights.tensors();
    }

    /**
     * Replaces all stitch weights; the values are copied.
     *
     * @param values tensors under the names of {@link #stitchTensors}
     * @throws IllegalArgumentException listing missing, extra and mis-shaped tensors
     */
    public void setStitchTensors(Map<String, NDArray> values) {
        StitchTensorCheck.check(values, weights.tensors());
        replaceWeights(StitchWeights.of(manager, type(), config, numExperts(), values));
    }

    void replaceWeights(StitchWeights replacement) {
        weights.close();
        weights = replacement;
    }

    /** Tells the model that its stitch weights were written to, as an optimizer does. */
    public void weightsChanged() {
        weights.refresh();
    }

    @Override
    public int vocabSize() {
        return models.get(0).vocabSize();
    }

    @Override
    public int contextLength() {
        return models.stream().mapToInt(LlamaModel::contextLength).min().orElseThrow();
    }

    @Override
    public NDArray forward(NDArray tokenIds) {
        return pass().logits(manager, tokenIds, models.get(0));
    }

    @Override
    protected NDArray tokenLosses(NDManager step, int[][] tokens) {
        return pass().losses(step, tokens, models.get(0), Optional.empty());
    }

    /**
     * Next-token losses with what no training changes from a cache: for texts that come back, such as those of a validation.
     *
     * @param tokens token ids {@code [batch][sequence]}
     * @param cache where the states are kept; not thread-safe
     * @return losses in nats {@code [batch][sequence - 1]}; those of {@link #tokenLosses(int[][])}, apart from the rounding that {@link PrefixCache} describes
     * @throws IllegalArgumentException if rows differ in length or an id is out of range
     */
    public float[][] tokenLosses(int[][] tokens, PrefixCache cache) {
        try (NDManager step = manager.newSubManager()) {
            return TokenBatch.rows(pass().losses(step, tokens, models.get(0), Optional.of(cache)).toFloatArray(), tokens.length);
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
        for (int j : stitches) {
            if (j < 0 || j >= config.numStitches()) {
                throw new IllegalArgumentException("stitch = " + j + " is outside 0 .. " + (config.numStitches() - 1));
            }
        }
        int[] wanted = IntStream.of(stitches).distinct().sorted().toArray();
        try (NDManager scope = manager.newSubManager(); StitchedView view = experts.isEmpty() ? null : view(experts)) {
            List<NDArray> found = (view == null ? pass() : view.pass()).trace(tokenIds.getManager(), placed(scope, tokenIds), IntStream.of(wanted).asLongStream().toArray());
            found.get(0).close(); // the logits
            List<GateTrace> traces = new ArrayList<>();
            int per = models.size() + 1;
            for (int k = 0; k < wanted.length; k++) {
                traces.add(new GateTrace(wanted[k], found.get(1 + k * per), List.copyOf(found.subList(2 + k * per, 1 + (k + 1) * per))));
            }
            return traces;
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
        return new TrainingPass(manager, streams, config, weights, options).run(tokens, tokenWeight, seed);
    }

    StitchedForward pass() {
        return new StitchedForward(streams, config, weights.inference(), hub -> weights.rows(hub, config));
    }

    /** A pass with other gate biases, {@code [n + 1, hidden]} for every stitch; {@code rows} keeps what is made of them once. */
    StitchedForward pass(StitchWeights.Argument biases, Function<Supplier<StitchRows>, StitchRows> rows) {
        StitchWeights.Arguments own = weights.inference();
        StitchWeights.Arguments all = new StitchWeights.Arguments(own.gates(), biases, own.projs());
        return new StitchedForward(streams, config, all, hub -> rows.apply(() -> StitchRows.of(hub, config, all)));
    }

    /**
     * The same model with some experts switched off, which computes what removing them would compute: to see, or let a client see, what an expert is good for.
     * It shares all weights, and is made anew when stitch weights or experts have changed.
     *
     * @param experts names of the experts to switch off; the hub stays
     * @return a model, which the caller closes before this one
     * @throws IllegalArgumentException if there is no such expert
     */
    public FrozenLm without(Set<String> experts) {
        return view(experts);
    }

    private StitchedView view(Set<String> experts) {
        return new StitchedView(this, experts.stream().map(this::expertIndex).toList());
    }

    private NDArray placed(NDManager scope, NDArray tokenIds) {
        return Tensors.place(scope, TokenBatch.checked(tokenIds, vocabSize()), TorchType.INT64, device());
    }

    @Override
    public DecodeSession newSession(int capacity) {
        checkCapacity(capacity);
        return new StitchedSession(this, this::pass, capacity);
    }

    @Override
    public float[][] appendEach(List<? extends DecodeSession> sessions, int[] tokenIds) {
        return StitchedSession.appendEach(this, pass(), sessions, tokenIds);
    }

    /**
     * Removes an expert without any training: its projection and gate slice go, and the softmax renormalises over the rest.
     * The result computes exactly what a model of the remaining weights would.
     *
     * @param name the expert's name
     * @throws IllegalArgumentException if there is no such expert, or it is the last one
     */
    public void removeExpert(String name) {
        int index = expertIndex(name);
        if (numExperts() == 1) {
            throw new IllegalArgumentException("'" + name + "' is the last expert: without it only the hub is left, load that alone");
        }
        try (NDManager scope = manager.newSubManager()) {
            Map<String, NDArray> values = ExpertSlices.without(scope, weights.layers(), index);
            LlamaModel removed = models.get(index);
            rebuild(without(members, members.get(index)), without(models, removed), values);
            removed.close();
        }
    }

    /**
     * Adds an expert behind the others: its projections start at the identity and its gate slices at zero, as
     * {@link Init#AVERAGE} does, with the biases of {@link Init#EXPERTS} where there are any. The other weights stay what they are.
     *
     * @param name a new name
     * @param folder its checkpoint folder
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException listing everything in which the expert does not fit
     */
    public void addExpert(String name, java.nio.file.Path folder) throws IOException {
        List<Member> all = Stream.concat(members.stream(), Stream.of(new Member(name, folder))).toList();
        StitchValidation.check(all, config);
        LlamaModel added = LlamaModel.open(folder, options.withPrecision(models.get(0).precision()));
        try (NDManager scope = manager.newSubManager()) {
            rebuild(all, Stream.concat(models.stream(), Stream.of(added)).toList(), ExpertSlices.with(scope, weights.layers()));
        } catch (RuntimeException e) {
            added.close();
            throw e;
        }
    }

    /** Changes everything or, when a tensor cannot be made, nothing. */
    private void rebuild(List<Member> nextMembers, List<LlamaModel> nextModels, Map<String, NDArray> values) {
        Streams nextStreams = new Streams(nextModels);
        try {
            replaceWeights(StitchWeights.of(manager, type(), config, nextModels.size() - 1, values));
        } catch (RuntimeException e) {
            nextStreams.close();
            throw e;
        }
        streams.close();
        streams = nextStreams;
        members = nextMembers;
        models = nextModels;
    }

    private static <T> List<T> without(List<T> list, T one) {
        return list.stream().filter(element -> element != one).toList();
    }

    private int expertIndex(String name) {
        List<String> names = members.stream().map(Member::name).toList();
        int index = names.indexOf(name);
        if (index < 1) {
            throw new IllegalArgumentException("No expert is called '" + name + "'; the experts are " + names.subList(1, names.size()));
        }
        return index;
    }

    @Override
    public void close() {
        streams.close();
        weights.close();
        models.forEach(LlamaModel::close);
        super.close();
    }
}
