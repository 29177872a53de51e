package io.github.bts4j.stitch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.TokenBatch;
import java.util.ArrayList;
import java.util.List;

/**
 * The size of the hub's states that the gates of one stitch layer read. A gate's logit is {@code W h}, and a step of AdamW changes every entry of W by about the
 * learning rate, so it moves the logit by up to the rate times the L1 norm of h. If that is large, gates oscillate, saturate, and stop learning.
 *
 * @param stitch which stitch layer, from 0
 * @param norm L1 norm of a token's state, {@code sum over channels |h|}, the mean over tokens
 */
public record GateInput(int stitch, double norm) {
    /**
     * Measures the inputs of a model's gates.
     *
     * @param model the model
     * @param windows token ids, one pass each; at least one
     * @return the inputs of every stitch layer, in order
     * @throws IllegalArgumentException if there is no window, or an id is outside the vocabulary
     */
    public static List<GateInput> of(StitchedModel model, List<int[]> windows) {
        throwIf(windows.isEmpty(), () -> new IllegalArgumentException("windows is empty: there is nothing to measure"));
        return model.held(now -> of(model, now.pass(), windows));
    }

    private static List<GateInput> of(StitchedModel model, StitchedForward pass, List<int[]> windows) {
        double[] sums = new double[model.config().numStitches()];
        long tokens = 0;
        for (int[] window : windows) {
            try (NDManager scope = model.getNDManager().newSubManager()) {
                NDArray ids = TokenBatch.tensor(scope, new int[][] {window}, 0, window.length, model.vocabSize());
                float[] norms = pass.gateInputs(scope, ids).toFloatArray();
                for (int j = 0; j < norms.length; j++) {
                    sums[j] += (double) norms[j] * window.length;
                }
            }
            tokens += window.length;
        }
        List<GateInput> inputs = new ArrayList<>();
        for (int j = 0; j < sums.length; j++) {
            inputs.add(new GateInput(j, sums[j] / tokens));
        }
        return inputs;
    }
}
