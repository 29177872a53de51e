package io.github.bts4j.train.benchmark;

import java.util.Locale;

/**
 * One measurement.
 *
 * @param type element type
 * @param model {@code seed} or {@code stitched}
 * @param task what was measured
 * @param tokensPerSecond the median, of all sessions together
 * @param slow the slower quartile
 * @param fast the faster quartile
 * @param limit the limit of the machine that the task is compared with: {@code memory} or {@code product}
 * @param share the median share of that limit, measured right before each time
 * @param measurements number of times
 */
public record BenchmarkRow(String type, String model, String task, double tokensPerSecond, double slow, double fast, String limit, double share, int measurements) {
    static final String HEAD = """
            | type | model | measured | tokens/s | quartiles | share of limit | limit |
            |---|---|---|---|---|---|---|
            """;

    String text() {
        return String.format(Locale.ROOT, "| %s | %s | %s | %s | %s - %s | %.2f | %s |%n", type, model, task, number(tokensPerSecond), number(slow), number(fast), share, limit);
    }

    /** Three digits, or the whole part if that has more. */
    static String number(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%,.0f", value);
    }
}
