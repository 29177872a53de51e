package io.github.bts4j.train.metrics;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Several listeners as one. */
record MetricsListeners(List<MetricsListener> listeners) implements MetricsListener {

    @Override
    public void onStep(StepMetrics metrics) {
        each(listener -> listener.onStep(metrics));
    }

    @Override
    public void onEvaluation(EvaluationMetrics metrics) {
        each(listener -> listener.onEvaluation(metrics));
    }

    @Override
    public void onTensors(TensorMetrics metrics) {
        each(listener -> listener.onTensors(metrics));
    }

    @Override
    public void onHistogram(HistogramMetrics metrics) {
        each(listener -> listener.onHistogram(metrics));
    }

    @Override
    public void onMessage(String message) {
        each(listener -> listener.onMessage(message));
    }

    @Override
    public void onResumedWith(String part, String name, String saved, String now) {
        each(listener -> listener.onResumedWith(part, name, saved, now));
    }

    @Override
    public void close() {
        each(MetricsListener::close);
    }

    private void each(Consumer<MetricsListener> call) {
        Optional<RuntimeException> failure = Optional.empty();
        for (MetricsListener listener : listeners) {
            try {
                call.accept(listener);
            } catch (RuntimeException e) {
                if (failure.isPresent()) {
                    failure.get().addSuppressed(e);
                } else {
                    failure = Optional.of(e);
                }
            }
        }
        if (failure.isPresent()) {
            throw failure.get();
        }
    }
}
