package io.github.bts4j.core.llama;

import io.github.bts4j.core.llama.family.Traits;
import io.github.bts4j.core.llama.rope.RopeScaling;
import java.util.List;
import java.util.OptionalInt;

/** Builds a {@link LlamaConfig}. Not for concurrent use. */
public final class LlamaConfigBuilder {
    private int vocabSize;
    private int hiddenSize;
    private int intermediateSize;
    private int numLayers;
    private int numHeads;
    private OptionalInt numKvHeads = OptionalInt.empty();
    private OptionalInt headDim = OptionalInt.empty();
    private int maxPositionEmbeddings = 4096;
    private double rmsNormEps = 1e-5;
    private double ropeTheta = 10_000;
    private RopeScaling ropeScaling = RopeScaling.none();
    private boolean attentionBias;
    private boolean mlpBias;
    private boolean tieWordEmbeddings;
    private Precision dtype = Precision.FLOAT32;
    private OptionalInt bosTokenId = OptionalInt.empty();
    private List<Integer> eosTokenIds = List.of();
    private Traits traits = Traits.LLAMA;

    LlamaConfigBuilder() {
    }

    /**
     * Sets the number of tokens. Required.
     *
     * @param value the number of tokens
     * @return this
     */
    public LlamaConfigBuilder vocabSize(int value) {
        vocabSize = value;
        return this;
    }

    /**
     * Sets the width of the residual stream. Required.
     *
     * @param value the width
     * @return this
     */
    public LlamaConfigBuilder hiddenSize(int value) {
        hiddenSize = value;
        return this;
    }

    /**
     * Sets the width inside the feed-forward network. Required.
     *
     * @param value the width
     * @return this
     */
    public LlamaConfigBuilder intermediateSize(int value) {
        intermediateSize = value;
        return this;
    }

    /**
     * Sets the number of decoder layers. Required.
     *
     * @param value the number of layers
     * @return this
     */
    public LlamaConfigBuilder numLayers(int value) {
        numLayers = value;
        return this;
    }

    /**
     * Sets the number of query heads. Required.
     *
     * @param value the number of heads
     * @return this
     */
    public LlamaConfigBuilder numHeads(int value) {
        numHeads = value;
        return this;
    }

    /**
     * Sets the number of key and value heads; unset, as many as query heads.
     *
     * @param value the number of heads
     * @return this
     */
    public LlamaConfigBuilder numKvHeads(int value) {
        numKvHeads = OptionalInt.of(value);
        return this;
    }

    /**
     * Sets the size of one head; unset, {@code hiddenSize / numHeads}.
     *
     * @param value the size, even
     * @return this
     */
    public LlamaConfigBuilder headDim(int value) {
        headDim = OptionalInt.of(value);
        return this;
    }

    /**
     * Sets the context; unset, 4,096 tokens.
     *
     * @param value the context in tokens
     * @return this
     */
    public LlamaConfigBuilder maxPositionEmbeddings(int value) {
        maxPositionEmbeddings = value;
        return this;
    }

    /**
     * Sets what RMSNorm adds to the mean square; unset, 1e-5.
     *
     * @param value the addend
     * @return this
     */
    public LlamaConfigBuilder rmsNormEps(double value) {
        rmsNormEps = value;
        return this;
    }

    /**
     * Sets the base of the rotary position embedding; unset, 10,000.
     *
     * @param value the base, greater than 1
     * @return this
     */
    public LlamaConfigBuilder ropeTheta(double value) {
        ropeTheta = value;
        return this;
    }

    /**
     * Sets how the rotary position embedding is stretched; unset, not at all.
     *
     * @param value the scaling
     * @return this
     */
    public LlamaConfigBuilder ropeScaling(RopeScaling value) {
        ropeScaling = value;
        return this;
    }

    /**
     * Sets whether q, k, v and o projections have a bias; unset, they have none.
     *
     * @param value whether they have one
     * @return this
     */
    public LlamaConfigBuilder attentionBias(boolean value) {
        attentionBias = value;
        return this;
    }

    /**
     * Sets whether gate, up and down projections have a bias; unset, they have none.
     *
     * @param value whether they have one
     * @return this
     */
    public LlamaConfigBuilder mlpBias(boolean value) {
        mlpBias = value;
        return this;
    }

    /**
     * Sets whether the language model head is the embedding table; unset, it is not.
     *
     * @param value whether it is
     * @return this
     */
    public LlamaConfigBuilder tieWordEmbeddings(boolean value) {
        tieWordEmbeddings = value;
        return this;
    }

    /**
     * Sets the number format of the weights; unset, float32.
     *
     * @param value the number format
     * @return this
     */
    public LlamaConfigBuilder dtype(Precision value) {
        dtype = value;
        return this;
    }

    /**
     * Sets the token that starts a text; unset, there is none.
     *
     * @param value the token
     * @return this
     */
    public LlamaConfigBuilder bosTokenId(int value) {
        bosTokenId = OptionalInt.of(value);
        return this;
    }

    /**
     * Sets the tokens that end a text; unset, there are none.
     *
     * @param value the tokens
     * @return this
     */
    public LlamaConfigBuilder eosTokenIds(List<Integer> value) {
        eosTokenIds = value;
        return this;
    }

    /**
     * Sets the family and its differences from Llama; unset, there are none.
     *
     * @param value the traits
     * @return this
     */
    public LlamaConfigBuilder traits(Traits value) {
        traits = value;
        return this;
    }

    /**
     * Makes the configuration.
     *
     * @return the configuration
     * @throws IllegalArgumentException if any value is outside its range; the message lists all problems
     */
    public LlamaConfig build() {
        return new LlamaConfig(vocabSize, hiddenSize, intermediateSize, numLayers, numHeads,
                numKvHeads.orElse(Math.max(numHeads, 1)), headDim.orElseGet(this::derivedHeadDim), maxPositionEmbeddings, rmsNormEps,
                ropeTheta, ropeScaling, attentionBias, mlpBias, tieWordEmbeddings, dtype, bosTokenId, eosTokenIds, traits);
    }

    /** The default head size: 0 if the sizes are not divisible, any valid size if the sizes themselves are refused. */
    private int derivedHeadDim() {
        if (numHeads < 1 || hiddenSize < 1) {
            return 2;
        }
        return hiddenSize % numHeads == 0 ? hiddenSize / numHeads : 0;
    }
}
