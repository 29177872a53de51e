package io.github.bts4j.core.llama.family;

/** What the gate of the feed-forward network goes through. */
public enum Activation {
    /** {@code x / (1 + e^-x)}. */
    SILU("silu"),
    /** {@code x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))} (arXiv 1606.08415). */
    GELU_TANH("gelu_pytorch_tanh");

    private final String jsonName;

    Activation(String jsonName) {
        this.jsonName = jsonName;
    }

    /**
     * The name in {@code config.json}.
     *
     * @return such as {@code silu}
     */
    public String jsonName() {
        return jsonName;
    }
}
