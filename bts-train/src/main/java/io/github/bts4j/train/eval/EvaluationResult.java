package io.github.bts4j.train.eval;

import io.github.bts4j.train.data.Window;
import java.util.List;
import java.util.Objects;

/**
 * The result of one model on one task by one metric, with the score of each item.
 *
 * @param model the model's name
 * @param task the task's or domain's name
 * @param metric what was measured
 * @param identity identifies the items, see {@link EvaluationTask#identity}
 * @param scores the items' scores
 * @param interval the value over all items with its interval
 * @param level share of the resamples inside the interval
 */
public record EvaluationResult(String model, String task, Metric metric, String identity, ItemScores scores, WindowScores.Interval interval, double level) {
    static final double LEVEL = 0.95;
    static final int RESAMPLES = 5000;
    static final long SEED = 0;

    /**
     * Checks the values.
     *
     * @param model the model's name
     * @param task the task's or domain's name
     * @param metric what was measured
     * @param identity identifies the items
     * @param scores the items' scores
     * @param interval the value over all items with its interval
     * @param level share of the resamples inside the interval
     * @throws IllegalArgumentException if a name is blank, or the interval's value is not that of the scores
     */
    public EvaluationResult {
        Objects.requireNonNull(metric, "metric");
        Objects.requireNonNull(identity, "identity");
        if (model.isBlank() || task.isBlank()) {
            throw new IllegalArgumentException("model = '" + model + "', task = '" + task + "': neither may be blank");
        }
        if (!(Math.abs(interval.value() - scores.value()) <= 1e-9 * Math.max(1, Math.abs(scores.value())))) {
            throw new IllegalArgumentException("value = " + interval.value() + " of " + metric.id() + " of '" + model + "' on '" + task + "' is not that of its items, "
                    + scores.value());
        }
        if (metric.isShare() && !scores.isRightOrWrong()) {
            throw new IllegalArgumentException(metric.id() + " of '" + model + "' on '" + task + "' has items that are neither correct (1) nor wrong (0)");
        }
    }

    /**
     * A result with a 95 % bootstrap interval from 5,000 resamples.
     *
     * @param model the model's name
     * @param task the task's or domain's name
     * @param metric what was measured
     * @param identity identifies the items
     * @param scores the items' scores
     * @return the result
     * @throws IllegalArgumentException if a name is blank
     */
    public static EvaluationResult of(String model, String task, Metric metric, String identity, ItemScores scores) {
        return new EvaluationResult(model, task, metric, identity, scores, scores.interval(LEVEL, RESAMPLES, SEED), LEVEL);
    }

    /**
     * Bits per byte of held-out text.
     *
     * @param model the model's name
     * @param domain the text's name
     * @param windows the scored windows
     * @param scores their scores
     * @return the result
     * @throws IllegalArgumentException if a name is blank, or there are not as many scores as windows
     */
    public static EvaluationResult of(String model, String domain, List<Window> windows, WindowScores scores) {
        if (windows.size() != scores.nats().length) {
            throw new IllegalArgumentException(windows.size() + " windows have scores of " + scores.nats().length);
        }
        return of(model, domain, Metric.BITS_PER_BYTE, Identity.of(windows), ItemScores.of(scores));
    }

    /**
     * Compares with another model's result on the same items.
     *
     * @param other the other model's result
     * @return this model's value minus the other's, with 95 % interval and p-value
     * @throws IllegalArgumentException if task, metric or items are not the same
     */
    public PairedComparison against(EvaluationResult other) {
        requireSameItems(other);
        return PairedComparison.of(scores, other.scores, LEVEL, RESAMPLES, SEED);
    }

    void requireSameItems(EvaluationResult other) {
        if (!task.equals(other.task) || metric != other.metric || !identity.equals(other.identity)) {
            throw new IllegalArgumentException(metric.id() + " of '" + model + "' on '" + task + "' and " + other.metric.id() + " of '" + other.model + "' on '"
                    + other.task + "' are not of the same items (" + identity + ", " + other.identity + "): evaluate both models on the same version of the task");
        }
    }
}
