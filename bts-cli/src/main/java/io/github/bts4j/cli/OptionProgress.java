package io.github.bts4j.cli;

import io.github.bts4j.train.RunDifference;
import io.github.bts4j.train.metrics.EvaluationMetrics;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.StepMetrics;

/**
 * A progress bar that shows messages in the command line's terms.
 *
 * @param bar where the progress is shown
 * @param words translates the library's names into options
 */
record OptionProgress(MetricsListener bar, OptionWords words) implements MetricsListener {
    @Override
    public void onStep(StepMetrics metrics) {
        bar.onStep(metrics);
    }

    @Override
    public void onEvaluation(EvaluationMetrics metrics) {
        bar.onEvaluation(metrics);
    }

    @Override
    public void onMessage(String message) {
        bar.onMessage(words.translate(message));
    }

    @Override
    public void onResumedWith(String part, String name, String saved, String now) {
        bar.onMessage(words.resumed(new RunDifference(part, name, saved, now)));
    }

    @Override
    public void close() {
        bar.close();
    }
}
