package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.FiniteTensors;
import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.GateInput;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.ParameterGroup;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Trains the stitch layers of a stitched model; the base models stay frozen. It closes nothing. */
public final class StitchTraining implements Trainable {
    private static final double LOGIT_STEP = 0.4;
    private static final double HIGHEST_RATE = 2e-3;

    private final StitchedModel model;
    private final Map<String, String> identity;
    private PassOptions options = PassOptions.DEFAULT;

    /**
     * Prepares the training of a model's stitch layers.
     *
     * @param model the stitched model
     * @throws IOException if a base model's files cannot be read for their fingerprints
     * @throws io.github.bts4j.core.FileFormatException if a weight of a base model is NaN or infinite
     * @throws IllegalStateException if the model is closed
     */
    @SuppressWarnings("try") // the lease is only held
    public StitchTraining(StitchedModel model) throws IOException {
        this.model = model;
        try (Lifetime.Lease use = model.useStitchTensors()) {
            this.identity = new LinkedHashMap<>(StitchCheckpoint.identity(model));
            identity.put(StartingWeights.NAME, StartingWeights.sha256(model.stitchTensors()));
            for (int i = 0; i < model.models().size(); i++) {
                LlamaModel base = model.models().get(i);
                FiniteTensors.require(base.getName(), base.tensors());
                identity.put(model.members().get(i).name() + " computes in", base.type() + (base.isQuantized() ? " from " + String.join(", ", base.quantizedTypes()) : ""));
            }
        }
    }

    /**
     * A group of the projections, for a lower learning rate than the gates'. A projection starts at the identity, and a whole stream passes through it: the
     * optimizer's noise in it disturbs every later layer, while a gate has to move far. A tenth of the gates' rate was best in the trials of
     * {@code docs/results.md}.
     *
     * @param optimizer AdamW's constants
     * @param learningRateFactor factor on the schedule's rate
     * @return the group, for {@link TrainerConfig#withParameterGroups}
     */
    public static ParameterGroup projections(AdamWConfig optimizer, double learningRateFactor) {
        return new ParameterGroup("stitch[.][0-9]+[.]proj[.].*", optimizer, learningRateFactor);
    }

    /**
     * A peak learning rate that fits the size of a model's hidden states. A step of AdamW moves a gate's logit by up to the rate times the L1 norm of the state that
     * the gate reads; the best rates of the trials in {@code docs/results.md}, on streams with norms between 300 and 4,400, moved it by 0.3 to 0.6. For
     * projections and biases the size of the states does not matter; so for small states the rate is limited to the highest one that was good there.
     *
     * @param model the stitched model, before its training
     * @param windows some text of the datamix, token ids, one pass each; at least one
     * @return 0.4 over the largest of the stitches' {@link GateInput#norm norms}, at most 2e-3; rounded to two digits, so that small numerical differences do not change it
     * @throws IllegalArgumentException if there is no window, or an id is outside the vocabulary
     */
    public static double peakRate(StitchedModel model, List<int[]> windows) {
        return peakRate(GateInput.of(model, windows).stream().mapToDouble(GateInput::norm).max().orElseThrow());
    }

    static double peakRate(double norm) {
        return new BigDecimal(Math.min(HIGHEST_RATE, LOGIT_STEP / norm)).round(new MathContext(2)).doubleValue();
    }

    @Override
    public Map<String, NDArray> parameters() {
        return model.stitchTensors();
    }

    @Override
    public NDManager manager() {
        return model.getNDManager();
    }

    @Override
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
        return model.accumulateGradients(tokens, tokenWeight, seed, options);
    }

    @Override
    public float[] accumulateGradients(DocumentRows rows, float tokenWeight, long seed) {
        return model.accumulateGradients(rows, tokenWeight, seed, options);
    }

    /**
     * Sets how passes are computed.
     *
     * @param options which activations are kept, whether frozen states are cached (also for validation), and the document mask; validation
     *     attends to the whole window
     * @return this training
     */
    public StitchTraining withOptions(PassOptions options) {
        this.options = options;
        return this;
    }

    /**
     * This training restricted to one expert's weights, for example those of a new expert: its projections and its slices of the gates. All other
     * weights are unchanged, to the bit; the values of their gates still change through the softmax.
     *
     * @param name the expert's name
     * @return a training of these weights; weight decay applies only to them
     * @throws IllegalArgumentException if there is no such expert
     */
    public Trainable onlyExpert(String name) {
        List<String> names = model.members().stream().map(Member::name).toList();
        int index = names.indexOf(name);
        if (index < 1) {
            throw new IllegalArgumentException("There is no expert '" + name + "', only " + names.subList(1, names.size()));
        }
        return new OneExpertTraining(this, name, index);
    }

    @Override
    public float[][] tokenLosses(int[][] tokens) {
        return options.frozenStateCache().map(cache -> model.tokenLosses(tokens, cache)).orElseGet(() -> model.tokenLosses(tokens));
    }

    @Override
    public Optional<TrainingSource> source() {
        return source("");
    }

    /** The same, of one expert alone unless its name is empty. A cache of states, and experts on other devices, are nothing that another process has. */
    Optional<TrainingSource> source(String only) {
        boolean elsewhere = model.models().stream().allMatch(base -> base.device().equals(ai.djl.Device.cpu()));
        return options.frozenStateCache().isPresent() || !elsewhere ? Optional.empty() : Optional.of(TrainingSource.stitches(model, options, only));
    }

    @Override
    public long passBytes(int rows, int length) {
        return PassMemory.of(model, options.checkpointing(), rows, length);
    }

    @Override
    public void weightsChanged() {
        model.weightsChanged();
    }

    @Override
    public Lifetime.Lease use() {
        return model.useStitchTensors();
    }

    @Override
    public Lifetime.Lease begin() {
        return model.beginTraining();
    }

    @Override
    public void write(Runnable writing) {
        model.writeStitchTensors(writing);
    }

    @Override
    public Map<String, String> identity() {
        Map<String, String> all = new LinkedHashMap<>(identity);
        boolean rounds = model.models().stream().anyMatch(base -> base.type() == ElementType.FLOAT32);
        if (options.frozenStateCache().isPresent() && rounds) {
            all.put("frozen-state cache", "states in float32 are rounded to bfloat16");
        }
        return options.documentMask().map(mask -> mask.addTo(all)).orElse(all);
    }
}
