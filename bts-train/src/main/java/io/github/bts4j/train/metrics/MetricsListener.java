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
     * An evaluation is done. Does nothing unless a listener says otherwise.
     *
     * @param metrics its numbers
     */
    default void onEvaluation(EvaluationMetrics metrics) {
    }

    /**
     * Values were counted. Does nothing unless a listener says otherwise.
     *
     * @param metrics the counts
     */
    default void onHistogram(HistogramMetrics metrics) {
    }

    /**
     * Every trained tensor was measured. Does nothing unless a listener says otherwise.
     *
     * @param metrics the numbers of each
     */
    default void onTensors(TensorMetrics metrics) {
    }

    /**
     * Something happened that is no number, such as a checkpoint written. Does nothing unless a listener says otherwise.
     *
     * @param message one line for a person
     */
    default void onMessage(String message) {
    }

    /**
     * A run goes on although something is another than when it was saved, as allowed. Told as a message unless a listener says otherwise.
     *
     * @param part what the value belongs to: the configuration, the data, or a part of the model's identity
     * @param name the value within the part, such as {@code learningRate.peak}; empty if the part is one value
     * @param saved the saved run's value
     * @param now the present value
     */
    default void onResumedWith(String part, String name, String saved, String now) {
        onMessage("Resumed with another " + part + (name.isEmpty() ? "" : " " + name) + ": saved " + saved + ", now " + now);
    }

    /** Writes out what is left and closes files. Closing twice is allowed. Does nothing unless a listener says otherwise. */
    @Override
    default void close() {
    }

    /**
     * Several listeners as one. Each call goes to all in order; when one throws, the others are still called and the
     * first exception is thrown at the end, with the rest as suppressed.
     *
     * @param listeners the listeners; closing the result closes them all
     * @return one listener
     */
    static MetricsListener all(MetricsListener... listeners) {
        return new MetricsListeners(List.of(listeners));
    }
}
