package io.github.bts4j.stitch;

/** How stitch layers start. The paper does not say; all keep the projections at the identity and the gates' weights at zero. */
public enum Init {
    /** No biases: softmax uniform, sigmoid one half. Step 0 is the average of the streams; no deviation from eq. 3 and 4. */
    AVERAGE(false, 0, 0),
    /**
     * One learnable gate bias per model and channel, a deviation from the paper's equations: the hub's bias starts high in
     * Experts-into-Hub layers and all gates start near zero in Hub-into-Experts layers, so that step 0 is nearly the hub alone.
     */
    HUB(true, Init.BIAS, -Init.BIAS),
    /**
     * Gate biases as in {@link #HUB}, but only those of the Hub-into-Experts layers start low: the experts' streams stay what they
     * are alone, and the hub starts as the average of all of them.
     */
    EXPERTS(true, 0, -Init.BIAS);

    /** Absolute value of the biases at the start: softmax gives the hub 0.98 of the weight over three experts, sigmoid 0.0067. */
    static final float BIAS = 5f;

    private final boolean gateBias;
    private final float hubBias;
    private final float expertsBias;

    Init(boolean gateBias, float hubBias, float expertsBias) {
        this.gateBias = gateBias;
        this.hubBias = hubBias;
        this.expertsBias = expertsBias;
    }

    /**
     * Whether stitch layers of this start carry gate biases.
     *
     * @return true for HUB and EXPERTS
     */
    public boolean hasGateBias() {
        return gateBias;
    }

    /** The biases of a new stitch layer: {@code [numExperts + 1, hiddenSize]}, row by row. */
    float[] biases(boolean intoHub, int numExperts, int hiddenSize) {
        float[] biases = new float[(numExperts + 1) * hiddenSize];
        java.util.Arrays.fill(biases, 0, intoHub ? hiddenSize : biases.length, intoHub ? hubBias : expertsBias);
        return biases;
    }
}
