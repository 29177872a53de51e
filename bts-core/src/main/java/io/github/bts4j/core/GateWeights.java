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
     * The weights of other tokens of the same models and layers.
     *
     * @param passes weights of consecutive tokens, {@code [tokens][layers][models]} each
     * @return the weights of all these tokens, in order
     */
    public GateWeights with(List<float[][][]> passes) {
        return new GateWeights(models, layers, passes.stream().flatMap(Arrays::stream).toArray(float[][][]::new));
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

    /**
     * The means over all tokens and layers: each model's share.
     *
     * @return shares {@code [models]}, hub first, which sum to one; zeros if there are no tokens
     */
    public double[] shares() {
        double[] shares = new double[models.size()];
        for (float[][] token : values) {
            for (float[] layer : token) {
                for (int i = 0; i < shares.length; i++) {
                    shares[i] += layer[i] / (double) (values.length * layers.size());
                }
            }
        }
        return shares;
    }
}
