package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.TokenBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What the gates of one Experts-into-Hub layer let through on average: how much each model is used, and how decided the gates are. A token's share of a model
 * is its gate value, averaged over channels; the shares of all models sum to 1.
 *
 * @param stitch which stitch layer, from 0
 * @param shares mean share of every model, the hub first
 * @param entropy mean entropy of a token's shares in bits: 0 where one model takes all, log2(n + 1) where all are alike
 * @param tokens tokens that the means are over
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
    public static List<GateSummary> of(StitchedModel model, List<int[]> windows) {
        if (windows.isEmpty()) {
            throw new IllegalArgumentException("windows is empty: there is nothing to summarise");
        }
        int[] stitches = IntStream.range(0, model.config().numStitches()).filter(model.config()::intoHub).toArray();
        Sums[] sums = new Sums[stitches.length];
        Arrays.setAll(sums, k -> new Sums(model.numExperts() + 1));
        for (int[] window : windows) {
            try (NDManager scope = model.getNDManager().newSubManager()) {
                NDArray ids = TokenBatch.tensor(scope, new int[][] {window}, 0, window.length, model.vocabSize());
                List<GateTrace> traces = model.gates(ids, stitches);
                for (int k = 0; k < sums.length; k++) {
                    for (float[] token : traces.get(k).meanOverChannels(0)) {
                        sums[k].add(token);
                    }
                }
            }
        }
        List<GateSummary> summaries = new ArrayList<>();
        for (int k = 0; k < sums.length; k++) {
            summaries.add(sums[k].summary(stitches[k]));
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
