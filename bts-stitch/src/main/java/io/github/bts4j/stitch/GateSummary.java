package io.github.bts4j.stitch;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.GatedLm;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The average gate values of one Experts-into-Hub layer: the share of each model, and the entropy. A token's share of a model
 * is its gate value, averaged over channels; the shares of all models sum to 1.
 *
 * @param stitch which stitch layer, from 0
 * @param shares mean share of every model, the hub first
 * @param entropy mean entropy of a token's shares in bits: 0 if one model has all of the weight, log2(n + 1) if all are equal
 * @param tokens number of tokens
 */
public record GateSummary(int stitch, List<Double> shares, double entropy, long tokens) {
    /**
     * Summarises a model's gates over text.
     *
     * @param model the model
     * @param windows token ids, one pass each; at least one
     * @return a summary of every Experts-into-Hub layer, from the first to the last
     * @throws IllegalArgumentException if there is no window, or an id is outside the vocabulary
     */
    public static List<GateSummary> of(GatedLm model, List<int[]> windows) {
        throwIf(windows.isEmpty(), () -> new IllegalArgumentException("windows is empty: there is nothing to summarise"));
        List<GateWeights.GateLayer> layers = List.of();
        List<Sums> sums = new ArrayList<>();
        for (int[] window : windows) {
            GateWeights gates = model.gates(window);
            layers = gates.layers();
            while (sums.size() < layers.size()) {
                sums.add(new Sums(gates.models().size()));
            }
            for (float[][] token : gates.values()) {
                for (int k = 0; k < token.length; k++) {
                    sums.get(k).add(token[k]);
                }
            }
        }
        List<GateSummary> summaries = new ArrayList<>();
        for (int k = 0; k < sums.size(); k++) {
            summaries.add(sums.get(k).summary(layers.get(k).stitch()));
        }
        return summaries;
    }

    private static final class Sums {
        private final double[] shares;
        private double entropy;
        private long tokens;

        Sums(int models) {
            shares = new double[models];
        }

        void add(float[] token) {
            for (int i = 0; i < shares.length; i++) {
                shares[i] += token[i];
                entropy -= token[i] > 0 ? token[i] * Math.log(token[i]) / Math.log(2) : 0;
            }
            tokens++;
        }

        GateSummary summary(int stitch) {
            return new GateSummary(stitch, Arrays.stream(shares).mapToObj(sum -> sum / tokens).toList(), entropy / tokens, tokens);
        }
    }
}
