package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One stitch layer and its float32 weights, which the stitched model owns. The two kinds have the same weights but compute different equations:
 *
 * <ul>
 * <li>Experts-into-Hub (eq. 3): {@code h~_i = W_proj,i h_i}, {@code h~_0 = g_0 * h_0 + sum_i g_i * h~_i}, g a softmax over the models;</li>
 * <li>Hub-into-Experts (eq. 4): {@code h~_i = (1 - g_i) * h_i + g_i * W_proj,i h_0}, {@code h~_0 = h_0}, g a sigmoid; slice 0 of the gate is unused.</li>
 * </ul>
 *
 * @param index j, the stitch's number, from 0
 * @param afterLayer the Transformer layer that it follows, from 1
 * @param intoHub whether information flows from the experts into the hub
 * @param gate the gate's weight {@code [n + 1, hidden, hidden]}: model (hub first), output channel, input channel
 * @param gateBias the gate's bias {@code [n + 1, hidden]}; empty unless {@link Init#hasGateBias}
 * @param projections one {@code [hidden, hidden]} per expert: output channel, input channel
 */
public record StitchLayer(int index, int afterLayer, boolean intoHub, NDArray gate, Optional<NDArray> gateBias, List<NDArray> projections) {
    /**
     * {@return the weights in the order of their names in a stitch checkpoint: {@code stitch.J.gate.weight}, {@code
     * stitch.J.gate.bias} and {@code stitch.J.proj.I.weight} with I from 1}
     */
    public Map<String, NDArray> tensors() {
        String prefix = "stitch." + index + ".";
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        tensors.put(prefix + "gate.weight", gate);
        gateBias.ifPresent(bias -> tensors.put(prefix + "gate.bias", bias));
        for (int i = 1; i <= projections.size(); i++) {
            tensors.put(prefix + "proj." + i + ".weight", projections.get(i - 1));
        }
        return tensors;
    }
}
