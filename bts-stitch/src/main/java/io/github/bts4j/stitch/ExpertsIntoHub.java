package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Optional;

/**
 * Experts-into-Hub (eq. 3): {@code h~_i = W_proj,i h_i}, {@code h~_0 = g_0 * h_0 + sum_i g_i * h~_i}, g a softmax over the models.
 *
 * @param index the stitch's number, from 0
 * @param afterLayer the Transformer layer it follows, from 1
 * @param gate {@code [n + 1, hidden, hidden]}
 * @param gateBias {@code [n + 1, hidden]}, or empty
 * @param projections one {@code [hidden, hidden]} per expert
 */
public record ExpertsIntoHub(int index, int afterLayer, NDArray gate, Optional<NDArray> gateBias, List<NDArray> projections)
        implements StitchLayer {
    @Override
    public boolean intoHub() {
        return true;
    }
}
