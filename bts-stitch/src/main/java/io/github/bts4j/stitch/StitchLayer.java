package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One stitch layer and its float32 weights, which the stitched model owns. Both kinds have the same weights but compute different equations. */
public sealed interface StitchLayer permits ExpertsIntoHub, HubIntoExperts {
    /**
     * The stitch's number.
     *
     * @return j, counted from 0
     */
    int index();

    /**
     * The Transformer layer that it follows.
     *
     * @return the layer, counted from 1
     */
    int afterLayer();

    /**
     * The gate's weight.
     *
     * @return {@code [n + 1, hidden, hidden]}: model (hub first), output channel, input channel
     */
    NDArray gate();

    /**
     * The gate's bias, if {@link Init#hasGateBias}.
     *
     * @return {@code [n + 1, hidden]}, or empty
     */
    Optional<NDArray> gateBias();

    /**
     * The projections.
     *
     * @return one {@code [hidden, hidden]} per expert: output channel, input channel
     */
    List<NDArray> projections();

    /**
     * Whether information flows from the experts into the hub.
     *
     * @return true for Experts-into-Hub
     */
    boolean intoHub();

    /**
     * The weights under their names in a stitch checkpoint: {@code stitch.J.gate.weight}, {@code stitch.J.gate.bias} and
     * {@code stitch.J.proj.I.weight} with I from 1.
     *
     * @return name to tensor, in that order
     */
    default Map<String, NDArray> tensors() {
        String prefix = "stitch." + index() + ".";
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        tensors.put(prefix + "gate.weight", gate());
        gateBias().ifPresent(bias -> tensors.put(prefix + "gate.bias", bias));
        for (int i = 1; i <= projections().size(); i++) {
            tensors.put(prefix + "proj." + i + ".weight", projections().get(i - 1));
        }
        return tensors;
    }
}
