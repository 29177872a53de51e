package io.github.bts4j.core.llama;

import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.llama.family.Spec;
import io.github.bts4j.core.llama.family.Traits;
import io.github.bts4j.core.llama.rope.LongRope;
import io.github.bts4j.core.llama.rope.Rope;
import io.github.bts4j.core.llama.rope.RopeScaling;
import io.github.bts4j.core.support.Problems;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The configuration of a Llama decoder, or of one of the families that share it, as in {@code config.json}.
 *
 * @param vocabSize the number of tokens
 * @param hiddenSize the width of the residual stream
 * @param intermediateSize the width inside the feed-forward network
 * @param numLayers the number of decoder layers, at most {@link #MAX_LAYERS}
 * @param numHeads the number of query heads
 * @param numKvHeads the number of key and value heads; divides {@code numHeads}
 * @param headDim the size of one head, even; need not be {@code hiddenSize / numHeads}
 * @param maxPositionEmbeddings the context in tokens
 * @param rmsNormEps what RMSNorm adds to the mean square
 * @param ropeTheta the base of the rotary position embedding, greater than 1
 * @param ropeScaling how the rotary position embedding is stretched
 * @param attentionBias whether q, k, v and o projections have a bias; see {@link #outputBias} for o
 * @param mlpBias whether gate, up and down projections have a bias
 * @param tieWordEmbeddings whether the language model head is the embedding table
 * @param dtype the number format of the weights
 * @param bosTokenId the token that starts a text, if there is one
 * @param eosTokenIds the end tokens in the checkpoint's order, without duplicates; empty if it has none
 * @param traits the family, and what the configuration says of its differences from Llama
 */
public record LlamaConfig(
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int numLayers,
        int numHeads,
        int numKvHeads,
        int headDim,
        int maxPositionEmbeddings,
        double rmsNormEps,
        double ropeTheta,
        RopeScaling ropeScaling,
        boolean attentionBias,
        boolean mlpBias,
        boolean tieWordEmbeddings,
        Precision dtype,
        OptionalInt bosTokenId,
        List<Integer> eosTokenIds,
        Traits traits) {

    /** The most layers a configuration may have; far above any published model, far below what would exhaust memory. */
    public static final int MAX_LAYERS = 10_000;

    private static final double MAX_PARAMETERS = 0x1p53;

    /**
     * Checks every component.
     *
     * @param vocabSize the number of tokens
     * @param hiddenSize the width of the residual stream
     * @param intermediateSize the width inside the feed-forward network
     * @param numLayers the number of decoder layers
     * @param numHeads the number of query heads
     * @param numKvHeads the number of key and value heads
     * @param headDim the size of one head
     * @param maxPositionEmbeddings the context in tokens
     * @param rmsNormEps what RMSNorm adds to the mean square
     * @param ropeTheta the base of the rotary position embedding
     * @param ropeScaling how the rotary position embedding is stretched
     * @param attentionBias whether the attention's projections have a bias
     * @param mlpBias whether the feed-forward network's projections have a bias
     * @param tieWordEmbeddings whether the language model head is the embedding table
     * @param dtype the number format of the weights
     * @param bosTokenId the token that starts a text
     * @param eosTokenIds the tokens that end a text
     * @param traits the family and its differences from Llama
     * @throws IllegalArgumentException if any is outside its range or null; the message lists all problems
     */
    public LlamaConfig {
        Problems problems = new Problems();
        problems.positive("vocabSize", vocabSize);
        problems.positive("hiddenSize", hiddenSize);
        problems.positive("intermediateSize", intermediateSize);
        problems.positive("numLayers", numLayers);
        problems.addIf(numLayers > MAX_LAYERS, "numLayers = " + numLayers + " is above " + MAX_LAYERS);
        checkHeads(problems, hiddenSize, numHeads, numKvHeads, headDim);
        if (traits == null) {
            problems.add("traits is null: use Traits.LLAMA");
        } else {
            traits.check(problems, numLayers, headDim);
            checkLongRope(problems, ropeScaling, traits.rotatedDim().orElse(headDim));
        }
        problems.positive("maxPositionEmbeddings", maxPositionEmbeddings);
        problems.positiveFloat("rmsNormEps", rmsNormEps);
        problems.floatAbove("ropeTheta", ropeTheta, 1);
        problems.addIf(ropeScaling == null, "ropeScaling is null: use RopeScaling.none()");
        problems.addIf(ropeScaling instanceof RopeScaling.Dynamic && headDim == 2, "headDim = 2 must be at least 4 for dynamic ropeScaling");
        problems.addIf(dtype == null, "dtype is null");
        if (bosTokenId == null) {
            problems.add("bosTokenId is null: use OptionalInt.empty()");
        } else {
            bosTokenId.ifPresent(id -> checkToken(problems, "bosTokenId", id, vocabSize));
        }
        if (eosTokenIds == null) {
            problems.add("eosTokenIds is null: use List.of()");
        } else {
            eosTokenIds.forEach(id -> checkToken(problems, "eosTokenIds", id, vocabSize));
        }
        if (problems.isEmpty()) {
            double perLayer = 3.0 * hiddenSize * intermediateSize + 2.0 * hiddenSize * headDim * ((double) numHeads + numKvHeads);
            double parameters = 2.0 * vocabSize * hiddenSize + numLayers * perLayer;
            problems.addIf(parameters > MAX_PARAMETERS, "the sizes imply about " + parameters + " parameters: more than 2^53");
        }
        problems.throwAsArgument("LlamaConfig");
        eosTokenIds = eosTokenIds.stream().distinct().toList();
    }

    private static void checkHeads(Problems problems, int hiddenSize, int numHeads, int numKvHeads, int headDim) {
        problems.positive("numHeads", numHeads);
        problems.positive("numKvHeads", numKvHeads);
        if (numHeads > 0 && numKvHeads > 0) {
            problems.addIf(numHeads % numKvHeads != 0, "numKvHeads = " + numKvHeads + " does not divide numHeads = " + numHeads);
        }
        if (headDim < 1) {
            problems.add("headDim = " + headDim + " must be positive and even (unset, it is hiddenSize = " + hiddenSize + " / numHeads = "
                    + numHeads + ", where that divides)");
        } else {
            problems.addIf(headDim % 2 != 0, "headDim = " + headDim + " must be even: rotary embedding turns pairs");
        }
        problems.addIf((long) numHeads * headDim > Integer.MAX_VALUE,
                "numHeads = " + numHeads + " x headDim = " + headDim + " is above " + Integer.MAX_VALUE);
    }

    private static void checkLongRope(Problems problems, RopeScaling scaling, int rotated) {
        if (scaling instanceof LongRope longRope) {
            problems.addIf(longRope.shortFactor().size() != rotated / 2, "shortFactor has " + longRope.shortFactor().size() + " numbers, but " + rotated + " rotated values of headDim have " + rotated / 2 + " frequencies");
        }
    }

    private static void checkToken(Problems problems, String name, Integer id, int vocabSize) {
        if (id == null) {
            problems.add(name + " holds null");
        } else {
            problems.addIf(id < 0 || id >= vocabSize, name + " holds " + id + ", outside 0 .. vocabSize - 1 with vocabSize = " + vocabSize);
        }
    }

    /**
     * Reads a checkpoint's configuration, with the end-of-text tokens of a {@code generation_config.json} beside it merged in. Both
     * spellings of the RoPE and dtype keys are understood. Absent keys have transformers' defaults (key-value heads as many as heads, rope
     * theta 10,000, eps 1e-6, context 2,048, no biases, untied, float32); the five sizes are required. A key that changes what the model
     * computes and is not implemented is refused; a key that is unknown is logged as a warning.
     *
     * @param path a checkpoint folder, the configuration file itself, or a GGUF file
     * @return the configuration
     * @throws io.github.bts4j.core.checkpoint.ModelFormatException if the file is not such a configuration, or asks for something that
     *     bts4j does not compute; the message lists all problems
     * @throws IOException if a file cannot be read
     */
    public static LlamaConfig read(Path path) throws IOException {
        return Checkpoint.isGguf(path) ? read(GgufFile.open(path)) : ConfigReader.read(path);
    }

    /**
     * Reads the configuration in a GGUF file's metadata.
     *
     * @param file the file
     * @return the configuration
     * @throws io.github.bts4j.core.checkpoint.ModelFormatException as for {@link #read(Path)}
     * @throws IOException if the file cannot be read
     */
    public static LlamaConfig read(GgufFile file) throws IOException {
        return GgufConfig.read(file);
    }

    /**
     * Writes this configuration as a {@code config.json} that Hugging Face transformers loads, in the spelling that most software reads
     * ({@code rope_theta}, {@code rope_scaling}, {@code torch_dtype}). The file is replaced atomically: it is written under another name,
     * forced to disk and renamed.
     *
     * @param path an existing folder, for {@code config.json} in it, or the file to write or replace
     * @throws IOException if it cannot be written
     */
    public void write(Path path) throws IOException {
        write(path, false);
    }

    /**
     * Writes this configuration for a checkpoint whose matrices may be int8.
     *
     * @param path as above
     * @param int8 whether matrices are int8 with a scale for each row, which the file then records in {@code quantization_config}
     * @throws IOException if it cannot be written
     */
    public void write(Path path, boolean int8) throws IOException {
        ConfigWriter.write(this, int8, path);
    }

    /**
     * {@return the longest sequence, in tokens, that the model is meant for: {@link #maxPositionEmbeddings}, and {@code factor} times
     * that with {@link RopeScaling.Dynamic}, whose frequencies follow the length beyond it}
     */
    public int contextLength() {
        double factor = ropeScaling instanceof RopeScaling.Dynamic dynamic ? Math.max(dynamic.factor(), 1) : 1;
        return (int) Math.min(maxPositionEmbeddings * factor, Integer.MAX_VALUE);
    }

    /** {@return a builder of a configuration} The five sizes have no defaults; the rest is Llama 2's. */
    public static LlamaConfigBuilder builder() {
        return new LlamaConfigBuilder();
    }

    /**
     * {@return a builder of a changed copy with every value of this configuration} Head size and number of key-value heads are kept,
     * not derived again.
     */
    public LlamaConfigBuilder toBuilder() {
        LlamaConfigBuilder builder = new LlamaConfigBuilder().vocabSize(vocabSize).hiddenSize(hiddenSize).intermediateSize(intermediateSize).numLayers(numLayers)
                .numHeads(numHeads).numKvHeads(numKvHeads).headDim(headDim).maxPositionEmbeddings(maxPositionEmbeddings)
                .rmsNormEps(rmsNormEps).ropeTheta(ropeTheta).ropeScaling(ropeScaling).attentionBias(attentionBias).mlpBias(mlpBias)
                .tieWordEmbeddings(tieWordEmbeddings).dtype(dtype).eosTokenIds(eosTokenIds).traits(traits);
        bosTokenId.ifPresent(builder::bosTokenId);
        return builder;
    }

    /**
     * A copy with weights in another number format.
     *
     * @param precision the number format
     * @return the copy
     */
    public LlamaConfig withDtype(Precision precision) {
        return toBuilder().dtype(precision).build();
    }

    /**
     * A copy with another number of layers, whose kinds repeat.
     *
     * @param layers the number of decoder layers
     * @return the copy
     * @throws IllegalArgumentException if the number is below 1 or above {@link #MAX_LAYERS}
     */
    public LlamaConfig withNumLayers(int layers) {
        return toBuilder().numLayers(layers).traits(traits.withLayers(numLayers, layers)).build();
    }

    /**
     * A copy with or without a language model head of its own.
     *
     * @param tied whether the head is the embedding table
     * @return the copy
     */
    public LlamaConfig withTieWordEmbeddings(boolean tied) {
        return toBuilder().tieWordEmbeddings(tied).build();
    }

    /** {@return the settings of the rotary position embedding} */
    public Rope rope() {
        return new Rope(traits.rotatedDim().orElse(headDim), ropeTheta, maxPositionEmbeddings, ropeScaling);
    }

    /**
     * The rotary tables that layers choose from, see {@link Traits#rotation}.
     *
     * @return {@link #rope}, and behind it that of layers with a window, if they have their own
     */
    public List<Rope> ropes() {
        return traits.localTheta() == 0 ? List.of(rope()) : List.of(rope(), new Rope(rope().headDim(), traits.localTheta(), maxPositionEmbeddings, RopeScaling.none()));
    }

    /**
     * What scores are multiplied by.
     *
     * @return {@code 1 / sqrt(headDim)}, or the configuration's own factor
     */
    public double attentionScale() {
        return traits.multipliers().attention().orElse(1 / Math.sqrt(headDim));
    }

    /**
     * Whether the output projection of attention has a bias.
     *
     * @return true if all four projections have one
     */
    public boolean outputBias() {
        return attentionBias && traits.family().spec().biases() != Spec.Biases.QUERY_KEY_VALUE;
    }

    /** {@return the width of all query heads together, {@code numHeads x headDim}} */
    public int queryWidth() {
        return numHeads * headDim;
    }

    /** {@return the width of all key heads together, {@code numKvHeads x headDim}, which is also that of all value heads} */
    public int keyValueWidth() {
        return numKvHeads * headDim;
    }

    /**
     * The values in which another configuration differs.
     *
     * @param other the other one
     * @param apart names of this record's components that may differ
     * @return one text per value that differs, such as {@code numLayers (4, 8)}, this one's value first
     */
    public List<String> differences(LlamaConfig other, Set<String> apart) {
        List<String> differences = new ArrayList<>();
        for (RecordComponent component : LlamaConfig.class.getRecordComponents()) {
            try {
                Object ours = component.getAccessor().invoke(this);
                Object theirs = component.getAccessor().invoke(other);
                if (!apart.contains(component.getName()) && !ours.equals(theirs)) {
                    differences.add(component.getName() + " (" + ours + ", " + theirs + ")");
                }
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("The accessors of a public record can be called", e);
            }
        }
        return differences;
    }
}
