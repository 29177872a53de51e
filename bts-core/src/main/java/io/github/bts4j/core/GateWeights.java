package io.github.bts4j.core;

import java.util.List;

/**
 * How much a model made of several listens to each of them, token by token: gate values of every layer where experts flow into the hub, averaged over the
 * channels (arXiv 2502.00075, figures 2 and 3).
 *
 * @param models names of the models, hub first
 * @param places where the gates sit, from the first layer to the last
 * @param values weights {@code [tokens][places][models]}; those of one token at one place sum to one
 */
public record GateWeights(List<String> models, List<Place> places, float[][][] values) {
    /**
     * Where a gate sits.
     *
     * @param stitch number of the stitch layer, from 0
     * @param afterLayer the layer that it follows, from 1
     */
    public record Place(int stitch, int afterLayer) {}

    /**
     * Copies the lists.
     *
     * @param models names of the models, hub first
     * @param places where the gates sit
     * @param values weights {@code [tokens][places][models]}
     */
    public GateWeights {
        models = List.copyOf(models);
        places = List.copyOf(places);
    }

    /**
     * The number of tokens.
     *
     * @return tokens
     */
    public int tokens() {
        return values.length;
    }

    /**
     * The weights at the last place, which decide about the next token.
     *
     * @param token number of the token, from 0
     * @return weights {@code [models]}, hub first
     */
    public float[] last(int token) {
        return values[token][places.size() - 1].clone();
    }
}
