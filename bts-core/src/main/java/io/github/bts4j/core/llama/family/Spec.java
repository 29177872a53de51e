package io.github.bts4j.core.llama.family;

import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/** In what a {@link Family} differs from Llama; without a word, it does not. */
public final class Spec {
    private final String title;
    private final String modelType;
    private final String architecture;
    private final String ggufArchitecture;
    private Biases biases = Biases.NONE;
    private Windows windows = Windows.NONE;
    private HeadNorms headNorms = HeadNorms.NONE;
    private NormWeight normWeight = NormWeight.AFTER_ROUNDING;
    private Activation activation = Activation.SILU;
    private TensorNames tensorNames = TensorNames.LLAMA;
    private boolean unrotatedLayers;
    private boolean multipliers;
    private boolean partialRotation;
    private boolean localRotation;
    private boolean scaledEmbeddings;
    private boolean unknownKeysTolerated;
    private Set<String> keys = Set.of();
    private Family.Defaults defaults;

    /** Which projections have biases. */
    public enum Biases {
        /** None. */
        NONE,
        /** Of queries, keys and values, always. */
        QUERY_KEY_VALUE,
        /** Of all four of attention, where {@code attention_bias} is true. */
        ATTENTION_BY_KEY,
        /** The same, and of the feed-forward network where {@code mlp_bias} is true. */
        BY_KEY
    }

    Spec(String title, String modelType, String architecture, String ggufArchitecture) {
        this.title = title;
        this.modelType = modelType;
        this.architecture = architecture;
        this.ggufArchitecture = ggufArchitecture;
    }

    Spec biases(Biases value) {
        biases = value;
        return this;
    }

    Spec windows(Windows value) {
        windows = value;
        return this;
    }

    Spec headNorms(HeadNorms value) {
        headNorms = value;
        return this;
    }

    Spec normWeight(NormWeight value) {
        normWeight = value;
        return this;
    }

    Spec activation(Activation value) {
        activation = value;
        return this;
    }

    Spec tensorNames(UnaryOperator<TensorNames> change) {
        tensorNames = change.apply(tensorNames);
        return this;
    }

    Spec unrotatedLayers() {
        unrotatedLayers = true;
        return this;
    }

    Spec multipliers() {
        multipliers = true;
        return this;
    }

    Spec partialRotation() {
        partialRotation = true;
        return this;
    }

    Spec localRotation() {
        localRotation = true;
        return this;
    }

    Spec scaledEmbeddings() {
        scaledEmbeddings = true;
        return this;
    }

    Spec unknownKeysTolerated() {
        unknownKeysTolerated = true;
        return this;
    }

    Spec keys(String... names) {
        keys = Collections.unmodifiableSet(new TreeSet<>(Set.of(names)));
        return this;
    }

    Spec defaults(Family.Defaults value) {
        defaults = value;
        return this;
    }

    /**
     * Its name for readers.
     *
     * @return such as {@code Phi-3}
     */
    public String title() {
        return title;
    }

    /**
     * Its {@code model_type}.
     *
     * @return such as {@code qwen2}
     */
    public String modelType() {
        return modelType;
    }

    /**
     * Its class in transformers.
     *
     * @return such as {@code Qwen2ForCausalLM}
     */
    public String architecture() {
        return architecture;
    }

    /**
     * Its {@code general.architecture} in GGUF files.
     *
     * @return such as {@code qwen2}
     */
    public String ggufArchitecture() {
        return ggufArchitecture;
    }

    /**
     * Which projections have biases.
     *
     * @return the choice
     */
    public Biases biases() {
        return biases;
    }

    /**
     * Which layers have a sliding window.
     *
     * @return the rule, where {@code layer_types} does not say it
     */
    public Windows windows() {
        return windows;
    }

    /**
     * The norms of queries and keys.
     *
     * @return which
     */
    public HeadNorms headNorms() {
        return headNorms;
    }

    /**
     * How a norm's weight is applied.
     *
     * @return the way
     */
    public NormWeight normWeight() {
        return normWeight;
    }

    /**
     * The activation of the feed-forward network.
     *
     * @return the function
     */
    public Activation activation() {
        return activation;
    }

    /**
     * The names of its tensors.
     *
     * @return those that differ from family to family
     */
    public TensorNames tensorNames() {
        return tensorNames;
    }

    /**
     * Whether some layers have no rotary embedding.
     *
     * @return true if {@code no_rope_layers} is read
     */
    public boolean hasUnrotatedLayers() {
        return unrotatedLayers;
    }

    /**
     * Whether it has factors of embeddings, branches, scores and logits.
     *
     * @return true if Granite's four keys are read
     */
    public boolean hasMultipliers() {
        return multipliers;
    }

    /**
     * Whether a part of each head may be rotated.
     *
     * @return true if {@code partial_rotary_factor} is read
     */
    public boolean hasPartialRotation() {
        return partialRotation;
    }

    /**
     * Whether layers with a window have a rotary table of their own.
     *
     * @return true if they have
     */
    public boolean hasLocalRotation() {
        return localRotation;
    }

    /**
     * Whether embeddings are multiplied by the root of their width.
     *
     * @return true if they are
     */
    public boolean hasScaledEmbeddings() {
        return scaledEmbeddings;
    }

    /**
     * Whether a key that nothing is known of is a warning.
     *
     * @return true if it is, false if it is refused: in a Llama's file anybody's keys are found
     */
    public boolean toleratesUnknownKeys() {
        return unknownKeysTolerated;
    }

    /**
     * The keys of {@code config.json} that are read for it beside Llama's.
     *
     * @return their names
     */
    public Set<String> keys() {
        return keys;
    }

    /**
     * What absent keys mean.
     *
     * @return transformers' values
     */
    public Family.Defaults defaults() {
        return defaults;
    }
}
