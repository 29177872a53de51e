package io.github.bts4j.train.eval;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * A model's log-likelihoods of an item's choices. The array is not copied, so equality is that of the array object.
 *
 * @param item the item
 * @param logLikelihoods natural logarithm of every choice's probability after the context
 */
public record ChoiceScore(ChoiceItem item, double[] logLikelihoods) {
    /**
     * Checks the number of values.
     *
     * @param item the item
     * @param logLikelihoods one value per choice
     * @throws IllegalArgumentException if there are more or fewer values than choices
     */
    public ChoiceScore {
        if (logLikelihoods.length != item.choices().size()) {
            throw new IllegalArgumentException(logLikelihoods.length + " log-likelihoods for " + item.choices().size() + " choices of '" + item.context() + "'");
        }
    }

    /**
     * The choice the model takes.
     *
     * @param metric {@link Metric#ACC} takes the most likely one; {@link Metric#ACC_NORM} the most likely per character, {@link Metric#ACC_BYTES} per byte of UTF-8
     * @return its index; the lowest of equals
     * @throws IllegalArgumentException for any other metric
     */
    public int chosen(Metric metric) {
        return switch (metric) {
            case ACC -> best(text -> 1);
            case ACC_NORM -> best(text -> text.codePointCount(0, text.length()));
            case ACC_BYTES -> best(text -> text.getBytes(StandardCharsets.UTF_8).length);
            default -> throw new IllegalArgumentException("metric = " + metric + " does not choose; use one of " + List.of(Metric.ACC, Metric.ACC_NORM,
                    Metric.ACC_BYTES));
        };
    }

    /**
     * Whether the model takes the correct choice.
     *
     * @param metric how it chooses, see {@link #chosen}
     * @return true if it does
     * @throws IllegalArgumentException for any other metric
     */
    public boolean correct(Metric metric) {
        return chosen(metric) == item.answer();
    }

    private int best(ToIntFunction<String> length) {
        int best = 0;
        for (int i = 1; i < logLikelihoods.length; i++) {
            best = per(i, length) > per(best, length) ? i : best;
        }
        return best;
    }

    private double per(int choice, ToIntFunction<String> length) {
        return logLikelihoods[choice] / length.applyAsInt(item.choices().get(choice));
    }
}
