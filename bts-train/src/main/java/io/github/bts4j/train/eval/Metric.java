package io.github.bts4j.train.eval;

import java.util.Arrays;
import java.util.Locale;

/** A metric: a mean over items, or a ratio of sums. Names are those of lm-evaluation-harness if it has the metric. */
public enum Metric {
    /** Share of choice items whose most likely choice is correct, and of cloze items whose target greedy decoding gives. */
    ACC("acc", true, true),
    /** Share of choice items whose most likely choice per character (Unicode code point) is correct. */
    ACC_NORM("acc_norm", true, true),
    /** Share of choice items whose most likely choice per byte of UTF-8 is correct; use it to compare languages. */
    ACC_BYTES("acc_bytes", true, true),
    /** Share of prompts whose generated answer equals the reference. */
    EXACT_MATCH("exact_match", true, true),
    /** Share of prompts whose generated code parses. */
    PARSES("parses", true, true),
    /** Log-likelihood of cloze targets in nats, the mean over items. */
    LOG_LIKELIHOOD("log_likelihood", true, false),
    /** Bits per byte of held-out text. */
    BITS_PER_BYTE("bits_per_byte", false, false);

    private final String id;
    private final boolean higherIsBetter;
    private final boolean share;

    Metric(String id, boolean higherIsBetter, boolean share) {
        this.id = id;
        this.higherIsBetter = higherIsBetter;
        this.share = share;
    }

    /** {@return the name in files and tables} */
    public String id() {
        return id;
    }

    /** {@return whether higher values are better} */
    public boolean higherIsBetter() {
        return higherIsBetter;
    }

    /** {@return whether each item scores 0 or 1, as it does for shares of items} */
    public boolean isShare() {
        return share;
    }

    /**
     * Finds a metric by name.
     *
     * @param id the name
     * @return the metric
     * @throws IllegalArgumentException if there is none
     */
    public static Metric of(String id) {
        return Arrays.stream(values()).filter(metric -> metric.id.equals(id)).findFirst().orElseThrow(() -> new IllegalArgumentException(
                "metric = '" + id + "' must be one of " + Arrays.stream(values()).map(Metric::id).toList()));
    }

    /** A value as tables show it: shares in per cent. */
    String format(double value) {
        return share ? String.format(Locale.ROOT, "%.1f", 100 * value) : String.format(Locale.ROOT, "%.4f", value);
    }
}
