package io.github.bts4j.core.llama.family;

import io.github.bts4j.core.support.Problems;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * What a model's configuration says of its family's differences from Llama.
 *
 * @param family the family
 * @param window the most tokens that a token of a layer with a sliding window attends to, itself included; 0 if no layer has one
 * @param windowedLayers the layers with a sliding window, counted from 0
 * @param unrotatedLayers the layers without rotary embedding
 * @param rotatedDim how much of each head is rotated, from its beginning; empty for all of it
 * @param localTheta the base of the rotary embedding in layers with a window; 0 if it is the others'
 * @param multipliers factors
 */
public record Traits(Family family, int window, List<Integer> windowedLayers, List<Integer> unrotatedLayers, OptionalInt rotatedDim, double localTheta, Multipliers multipliers) {
    /** Llama's. */
    public static final Traits LLAMA = of(Family.LLAMA);

    /**
     * Copies the lists.
     *
     * @param family the family
     * @param window tokens
     * @param windowedLayers the layers with a sliding window
     * @param unrotatedLayers the layers without rotary embedding
     * @param rotatedDim how much of each head is rotated
     * @param localTheta the base of the rotary embedding in layers with a window
     * @param multipliers factors
     */
    public Traits {
        windowedLayers = windowedLayers.stream().distinct().sorted().toList();
        unrotatedLayers = unrotatedLayers.stream().distinct().sorted().toList();
    }

    /**
     * A family's traits, as far as they are the same for every model of it.
     *
     * @param family the family
     * @return without windows, with every layer wholly rotated
     */
    public static Traits of(Family family) {
        return new Traits(family, 0, List.of(), List.of(), OptionalInt.empty(), 0, Multipliers.NONE);
    }

    /**
     * The same with a window in some layers.
     *
     * @param tokens size of the window
     * @param layers the layers, from 0
     * @return a copy
     */
    public Traits withWindow(int tokens, List<Integer> layers) {
        return new Traits(family, layers.isEmpty() ? 0 : tokens, layers, unrotatedLayers, rotatedDim, localTheta, multipliers);
    }

    /**
     * The same for another number of layers, where the pattern of layers repeats.
     *
     * @param layers number of layers of the model
     * @param wanted the other number
     * @return a copy
     */
    public Traits withLayers(int layers, int wanted) {
        return new Traits(family, window, repeated(windowedLayers, layers, wanted), repeated(unrotatedLayers, layers, wanted), rotatedDim, localTheta, multipliers);
    }

    private static List<Integer> repeated(List<Integer> of, int layers, int wanted) {
        return IntStream.range(0, Math.max(wanted, 0)).filter(layer -> of.contains(layer % layers)).boxed().toList();
    }

    /**
     * The most tokens that a token of a layer attends to.
     *
     * @param layer number of the layer, from 0
     * @return tokens, itself included; 0 for all before it
     */
    public int window(int layer) {
        return windowedLayers.contains(layer) ? window : 0;
    }

    /**
     * Which rotary table a layer takes.
     *
     * @param layer number of the layer, from 0
     * @return 0 for the only one, 1 or 2 for the first or second of two, -1 for none
     */
    public int rotation(int layer) {
        if (unrotatedLayers.contains(layer)) {
            return -1;
        }
        return localTheta == 0 ? 0 : windowedLayers.contains(layer) ? 2 : 1;
    }

    /**
     * Whether layers are composed as Llama's are: a norm before each branch, which is added as it is.
     *
     * @return true if they are
     */
    public boolean hasPlainBranches() {
        return family.spec().tensorNames().hasNormsBeforeAlone() && multipliers.residual() == 1;
    }

    /**
     * Checks the traits against a model's sizes.
     *
     * @param problems receives what is wrong
     * @param numLayers number of layers
     * @param headDim size of a head
     */
    public void check(Problems problems, int numLayers, int headDim) {
        problems.addIf(!windowedLayers.isEmpty() && window < 1, "slidingWindow = " + window + " must be positive: layers " + windowedLayers + " have one");
        for (List<Integer> layers : List.of(windowedLayers, unrotatedLayers)) {
            problems.addIf(layers.stream().anyMatch(layer -> layer < 0 || layer >= numLayers), "layers " + layers + " are not all among numLayers = " + numLayers);
        }
        rotatedDim.ifPresent(dim -> problems.addIf(dim < 2 || dim % 2 != 0 || dim > headDim, "partialRotaryFactor rotates " + dim + " of headDim = " + headDim + ": an even number up to all of them is wanted"));
        if (localTheta != 0) {
            problems.floatAbove("ropeLocalBaseFreq", localTheta, 1);
        }
    }
}
