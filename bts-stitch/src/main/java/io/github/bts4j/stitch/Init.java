package io.github.bts4j.stitch;

/** How stitch layers start. The paper does not say; both keep the projections at the identity. */
public enum Init {
    /** Gates zero: softmax uniform, sigmoid one half. Step 0 is the average of the streams; no deviation from eq. 3 and 4. */
    AVERAGE,
    /**
     * One learnable gate bias per model and channel, a deviation from the paper's equations: the hub's bias starts high in
     * Experts-into-Hub layers and all gates start near zero in Hub-into-Experts layers, so that step 0 is nearly the hub alone.
     */
    HUB;

    /** Absolute value of the biases at the start: softmax gives the hub 0.98 of the weight over three experts, sigmoid 0.0067. */
    static final float BIAS = 5f;

    /**
     * Whether stitch layers of this start carry gate biases.
     *
     * @return true for HUB
     */
    public boolean hasGateBias() {
        return this == HUB;
    }
}
