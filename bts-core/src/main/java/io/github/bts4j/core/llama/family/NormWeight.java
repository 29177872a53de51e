package io.github.bts4j.core.llama.family;

/** How RMSNorm's weight is applied to {@code n = x / sqrt(mean(x^2) + eps)}, where results are rounded to the model's precision. */
public enum NormWeight {
    /** {@code round(round(n) w)}. */
    AFTER_ROUNDING,
    /** {@code round(n w)}. */
    BEFORE_ROUNDING,
    /** {@code round(n (1 + w))}. */
    ONE_PLUS
}
