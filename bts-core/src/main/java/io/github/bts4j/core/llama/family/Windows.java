package io.github.bts4j.core.llama.family;

/** Which layers attend to the last {@code sliding_window} tokens alone. */
public enum Windows {
    /** None. */
    NONE,
    /** All of them. */
    EVERY_LAYER,
    /** From layer {@code max_window_layers} on, if {@code use_sliding_window} is true. */
    UPPER_LAYERS,
    /** Those without rotary embedding, if {@code use_sliding_window} is true. */
    UNROTATED_LAYERS,
    /** All but each {@code sliding_window_pattern}-th, which is 6. */
    ALL_BUT_EVERY_SIXTH
}
