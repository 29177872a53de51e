package io.github.bts4j.train.metrics;

import java.util.List;

/**
 * Receives the numbers of a run. Calls come from one thread at a time, in the order of the steps. A listener that cannot
 * write throws {@link java.io.UncheckedIOException} naming its file.
 */
public interface MetricsListener extends AutoCloseable {

    /**
     * An optimizer step is done.
     *
     * @param metrics its numbers
     */
    void onStep(StepMetrics metrics);

    /**
     * An evaluation is done. Does nothing by default.
     *
     * @param metrics its numbers
     */
    default void onEvaluation(EvaluationMetrics metrics) {
    }

    /**
     * A histogram was measured. Does nothing by default.
     *
     * @param metrics the counts
     */
    default void onHistogram(HistogramMetrics metrics) {
    }

    /**
     * Every trained tensor was measured. Does nothing by default.
     *
     * @param metrics the numbers of each
     */
    default void onTensors(TensorMetrics metrics) {
    }

    /**
     * An event, such as the writing of a checkpoint. Does nothing by default.
     *
     * @param message one line of text
     */
    default void onMessage(String message) {
    }

    /**
     * A run was resumed in spite of a difference, as allowed. Reported as a message by default.
     *
     * @param part the part it belongs to: the configuration, the data, or a part of the model's identity
     * @param name the value within the part, such as {@code learningRate.peak}; empty if the part is one value
     * @param saved the saved run's value
     * @param now the current value
     */
    default void onResumedWith(String part, String name, String saved, String now) {
        onMessage("Resumed with a different " + part + (name.isEmpty() ? "" : " " + name) + ": saved " + saved + ", now " + now);
    }

    /** Flushes and closes files. May be called twice. Does nothing by default. */
    @Override
    default void close() {
    }

    /**
     * Combines several listeners. Each call goes to all in order. If one throws, the others are still called, and the
     * first exception is thrown at the end with the others as suppressed.
     *
     * @param listeners the listeners; closing the result closes them all
     * @return one listener
     */
    static MetricsListener all(MetricsListener... listeners) {
        return new MetricsListeners(List.of(listeners));
    }
}
