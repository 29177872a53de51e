package io.github.bts4j.stitch;

/** The initialisation of stitch layers, which the paper does not specify. In all of them projections are the identity and gate weights zero. */
public enum Init {
    /** No biases: softmax uniform, sigmoid one half. At step 0 every stitch averages the streams. No deviation from eq. 3 and 4. */
    AVERAGE(false, 0, 0),
    /**
     * One learnable gate bias per model and channel, a deviation from the paper's equations: the hub's bias starts high in
     * Experts-into-Hub layers and all gates start near zero in Hub-into-Experts layers, so that at step 0 the model is almost the hub alone.
     */
    HUB(true, Init.BIAS, -Init.BIAS),
    /**
     * Gate biases as in {@link #HUB}, but only those of the Hub-into-Experts layers start low: the experts' streams are
     * unchanged, and the hub starts as the average of all of them.
     */
    EXPERTS(true, 0, -Init.BIAS);

    /** Initial absolute value of the biases: with three experts the softmax gives the hub a weight of 0.98; the sigmoid gives 0.0067. */
    static final float BIAS = 5f;

    private final boolean gateBias;
    private final float hubBias;
    private final float expertsBias;

    Init(boolean gateBias, float hubBias, float expertsBias) {
        this.gateBias = gateBias;
        this.hubBias = hubBias;
        this.expertsBias = expertsBias;
    }

    /** {@return whether stitch layers have gate biases, as they do for HUB and EXPERTS} */
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
