package io.github.bts4j.core.adapter;

/** Which biases of the base were trained along with an adapter. */
public enum TrainedBiases {
    /** None: the base's stay. */
    NONE("none"),
    /** All of the model's. */
    ALL("all"),
    /** Those of the modules that the adapter targets. */
    LORA_ONLY("lora_only");

    private final String json;

    TrainedBiases(String json) {
        this.json = json;
    }

    /** {@return PEFT's name of the setting in adapter_config.json} */
    public String json() {
        return json;
    }
}
