package io.github.bts4j.server;

import io.github.bts4j.core.GateWeights;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Each model's share of the tokens so far: its mean gate weight over tokens and stitches. For one thread at a time. */
final class GateShares {
    private final List<String> models = new ArrayList<>();
    private double[] sums = {};
    private long tokens;

    void add(GateWeights token) {
        if (models.isEmpty()) {
            models.addAll(token.models());
            sums = new double[models.size()];
        }
        double[] shares = token.shares();
        for (int i = 0; i < sums.length; i++) {
            sums[i] += shares[i];
        }
        tokens++;
    }

    /** Shares by model, hub first, which sum to one; empty if there were no tokens. */
    Map<String, Double> byModel() {
        Map<String, Double> shares = new LinkedHashMap<>();
        for (int i = 0; i < sums.length; i++) {
            shares.put(models.get(i), sums[i] / tokens);
        }
        return shares;
    }
}
