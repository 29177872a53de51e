package io.github.bts4j.stitch;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.support.Problems;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The positions, kinds and initialisation of stitch layers.
 *
 * @param afterLayers the layer, counted from 1, that each stitch follows; ascending, the last one is the model's last layer
 * @param alternating true for alternating Hub-into-Experts and Experts-into-Hub, ending with the latter (the paper's default);
 *     false for Experts-into-Hub only
 * @param dropout probability of dropping a gate's logit in training, in {@code [0, 1)}; off in evaluation
 * @param init how the layers are initialised
 */
public record StitchConfig(List<Integer> afterLayers, boolean alternating, double dropout, Init init) {
    /** This library's default; the paper does not give a rate. */
    public static final double DEFAULT_DROPOUT = 0.1;

    /**
     * Checks the layout. Whether the last stitch follows the last layer is checked when a model is stitched.
     *
     * @param afterLayers the layer, counted from 1, that each stitch follows
     * @param alternating true for alternating kinds
     * @param dropout probability of dropping a gate's logit in training
     * @param init how the layers are initialised
     * @throws IllegalArgumentException listing all problems
     */
    public StitchConfig {
        Problems problems = new Problems();
        problems.addIf(afterLayers.isEmpty(), "afterLayers is empty: at least one stitch layer, after the last Transformer layer, is required");
        for (int j = 0; j < afterLayers.size(); j++) {
            int before = j == 0 ? 0 : afterLayers.get(j - 1);
            problems.addIf(afterLayers.get(j) <= before,
                    "afterLayers = " + afterLayers + ": " + afterLayers.get(j) + " must be above " + before + "; layers are counted from 1 and ascend");
        }
        problems.addIf(!(dropout >= 0 && dropout < 1), "dropout = " + dropout + " is outside [0, 1)");
        problems.throwInOneLine("");
        afterLayers = List.copyOf(afterLayers);
    }

    /**
     * K evenly spaced stitch layers, alternating, {@link Init#AVERAGE}, the default dropout. Stitch j follows layer
     * {@code round(j L / K)}, with halves rounded to even. If K divides L, that is one stitch every {@code floor(L / K)} layers, as in the paper.
     *
     * @param numLayers L, the number of Transformer layers of every model
     * @param numStitches K
     * @return the configuration
     * @throws IllegalArgumentException if K is below 1 or above L
     */
    public static StitchConfig evenly(int numLayers, int numStitches) {
        throwIf(numStitches < 1 || numStitches > numLayers,
                () -> new IllegalArgumentException("numStitches = " + numStitches + " is outside 1 .. numLayers = " + numLayers
                        + ": at most one stitch layer follows each Transformer layer"));
        List<Integer> afterLayers = new ArrayList<>();
        for (int j = 1; j <= numStitches; j++) {
            afterLayers.add((int) Math.rint((double) j * numLayers / numStitches));
        }
        return at(afterLayers);
    }

    /**
     * Stitch layers after the given layers, alternating, {@link Init#AVERAGE}, the default dropout.
     *
     * @param afterLayers layers, counted from 1, ascending
     * @return the configuration
     */
    public static StitchConfig at(List<Integer> afterLayers) {
        return new StitchConfig(afterLayers, true, DEFAULT_DROPOUT, Init.AVERAGE);
    }

    /** {@return K, the number of stitch layers} */
    public int numStitches() {
        return afterLayers.size();
    }

    /**
     * Whether a stitch is Experts-into-Hub.
     *
     * @param index the stitch, counted from 0
     * @return true for Experts-into-Hub, false for Hub-into-Experts
     */
    public boolean intoHub(int index) {
        return !alternating || (afterLayers.size() - 1 - index) % 2 == 0;
    }

    /**
     * The number of a stream's layers below all trained weights: up to the first stitch for experts, and up to the first Experts-into-Hub stitch for the hub, since
     * Hub-into-Experts stitches do not change the hub. The state after them is a function of the tokens only.
     *
     * @param stream 0 for the hub, any other number for an expert
     * @return layers, counted from the model's first
     */
    public int frozenLayers(int stream) {
        int first = 0;
        while (stream == 0 && !intoHub(first)) {
            first++; // the last stitch is always Experts-into-Hub
        }
        return afterLayers.get(first);
    }

    /**
     * The entries of {@link #afterLayers} up to {@link #frozenLayers}: a pass needs the stream's state after each of these layers, and {@link FrozenStateCache} stores it.
     *
     * @param stream 0 for the hub, any other number for an expert
     * @return layers, at least one
     */
    public List<Integer> cachedLayers(int stream) {
        return afterLayers.subList(0, afterLayers.indexOf(frozenLayers(stream)) + 1);
    }

    /**
     * The number of trained parameters: {@code K (2n + 1) d^2}, and {@code K (n + 1) d} more with gate biases.
     *
     * @param numExperts n
     * @param hiddenSize d
     * @return parameters
     */
    public long parameterCount(int numExperts, int hiddenSize) {
        long matrices = Math.multiplyExact((2L * numExperts + 1) * numStitches(), (long) hiddenSize * hiddenSize);
        return matrices + (init.hasGateBias() ? (long) numStitches() * (numExperts + 1) * hiddenSize : 0);
    }

    /**
     * A copy with alternating layers, or Experts-into-Hub layers only.
     *
     * @param alternating whether the kinds alternate
     * @return a changed copy
     */
    public StitchConfig withAlternating(boolean alternating) {
        return new StitchConfig(afterLayers, alternating, dropout, init);
    }

    /**
     * A copy with another dropout.
     *
     * @param dropout probability in {@code [0, 1)}
     * @return the copy
     */
    public StitchConfig withDropout(double dropout) {
        return new StitchConfig(afterLayers, alternating, dropout, init);
    }

    /**
     * A copy with another initialisation.
     *
     * @param init how the layers are initialised
     * @return a changed copy
     */
    public StitchConfig withInit(Init init) {
        return new StitchConfig(afterLayers, alternating, dropout, init);
    }

    /** {@link #afterLayers} as the kernels take them. */
    long[] kernelLayers() {
        return afterLayers.stream().mapToLong(Integer::longValue).toArray();
    }

    /** The kinds as the kernels take them: 1 for Experts-into-Hub, 0 for Hub-into-Experts. */
    long[] kernelKinds() {
        return IntStream.range(0, numStitches()).mapToLong(j -> intoHub(j) ? 1 : 0).toArray();
    }
}
