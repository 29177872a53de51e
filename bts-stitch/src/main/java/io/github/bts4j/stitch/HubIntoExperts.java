package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Optional;

/**
 * Hub-into-Experts (eq. 4): {@code h~_i = (1 - g_i) * h_i + g_i * W_proj,i h_0}, {@code h~_0 = h_0}, g a sigmoid; slice 0 of the gate is unused.
 *
 * @param index the stitch's number, from 0
 * @param afterLayer the Transformer layer it follows, from 1
 * @param gate {@code [n + 1, hidden, hidden]}
 * @param gateBias {@code [n + 1, hidden]}, or empty
 * @param projections one {@code [hidden, hidden]} per expert
 */
public record HubIntoExperts(int index, int afterLayer, NDArray gate, Optional<NDArray> gateBias, List<NDArray> projections)
        implements StitchLayer {
    @Override
    public boolean intoHub() {
        return false;
    }
}
