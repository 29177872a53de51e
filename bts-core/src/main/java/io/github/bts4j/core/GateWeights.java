package io.github.bts4j.core;

import java.util.Arrays;
import java.util.List;

/**
 * How much a stitched model uses each of its models, token by token: the gate values of all Experts-into-Hub layers, averaged over the
 * channels (arXiv 2502.00075, figures 2 and 3).
 *
 * @param models names of the models, hub first
 * @param layers the gate layers, from the first to the last
 * @param values weights {@code [tokens][layers][models]}; those of one token in one layer sum to one
 */
public record GateWeights(List<String> models, List<GateLayer> layers, float[][][] values) {
    /**
     * A layer with gates.
     *
     * @param stitch number of the stitch layer, from 0
     * @param afterLayer the layer that it follows, from 1
     */
    public record GateLayer(int stitch, int afterLayer) {}

    /**
     * Copies the lists.
     *
     * @param models names of the models, hub first
     * @param layers the gate layers
     * @param values weights {@code [tokens][layers][models]}
     */
    public GateWeights {
        models = List.copyOf(models);
        layers = List.copyOf(layers);
    }

    /**
     * The weights of consecutive tokens.
     *
     * @param parts weights of the same models and layers, at least one part
     * @return the weights of all tokens, in order
     */
    public static GateWeights joined(List<GateWeights> parts) {
        return new GateWeights(parts.get(0).models, parts.get(0).layers, parts.stream().flatMap(part -> Arrays.stream(part.values)).toArray(float[][][]::new));
    }

    /** {@return the number of tokens} */
    public int tokens() {
        return values.length;
    }

    /**
     * The weights of the last layer, which decide about the next token.
     *
     * @param token number of the token, from 0
     * @return weights {@code [models]}, hub first
     */
    public float[] last(int token) {
        return values[token][layers.size() - 1].clone();
    }
}
