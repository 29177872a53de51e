package io.github.bts4j.train;

import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.metrics.EvaluationMetrics;
import io.github.bts4j.train.metrics.MetricsListener;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Validates a run on held-out text and records the best step. Not thread-safe. */
final class RunValidation {
    private final Validation validation;
    private final Trainable model;
    private final MetricsListener listener;
    private State state = State.NONE;

    /**
     * The part of its state that a run checkpoint saves.
     *
     * @param bestStep the step with the best loss; -1 before the first validation
     * @param bestLoss its mean loss over domains, in nats
     * @param sinceBest validations since then
     */
    record State(long bestStep, double bestLoss, int sinceBest) {
        static final State NONE = new State(-1, Double.MAX_VALUE, 0);
    }

    private record Score(double nats, long tokens, double scoredNats, long bytes) {
        Score plus(Score other) {
            return new Score(nats + other.nats, tokens + other.tokens, scoredNats + other.scoredNats, bytes + other.bytes);
        }
    }

    RunValidation(Validation validation, Trainable model, MetricsListener listener) {
        this.validation = validation;
        this.model = model;
        this.listener = listener;
    }

    State state() {
        return state;
    }

    void restore(State saved) {
        state = saved;
    }

    boolean isDue(long step, long totalSteps) {
        return step % validation.every() == 0 || step == totalSteps;
    }

    boolean isOver() {
        return validation.patience() > 0 && state.sinceBest() >= validation.patience();
    }

    /** Whether this step is the best so far. */
    boolean judge(long step) {
        Map<String, Double> losses = new LinkedHashMap<>();
        Map<String, Double> bitsPerByte = new LinkedHashMap<>();
        validation.windows().forEach((domain, windows) -> {
            Score score = score(windows);
            losses.put(domain, score.nats / score.tokens);
            if (score.bytes > 0) {
                bitsPerByte.put(domain, score.scoredNats / Math.log(2) / score.bytes);
            }
        });
        double mean = losses.values().stream().mapToDouble(Double::doubleValue).average().orElseThrow();
        boolean best = mean < state.bestLoss() - (state.bestStep() < 0 ? 0 : validation.minDelta());
        state = best ? new State(step, mean, 0) : new State(state.bestStep(), state.bestLoss(), state.sinceBest() + 1);
        listener.onEvaluation(new EvaluationMetrics(step, mean, losses, bitsPerByte, Map.of("best_step", (double) state.bestStep())));
        if (isOver()) {
            listener.onMessage(String.format(Locale.ROOT, "Stopped early at step %d: %d validations without a loss below %.4f, that of step %d", step, state.sinceBest(),
                    state.bestLoss(), state.bestStep()));
        }
        return best;
    }

    private Score score(List<Window> windows) {
        List<List<Integer>> batches = Window.batches(windows, validation.batchSize());
        List<float[][]> losses = model.tokenLosses(batches.stream().map(batch -> batch.stream().map(i -> windows.get(i).tokens()).toArray(int[][]::new)).toList());
        Score sum = new Score(0, 0, 0, 0);
        for (int i = 0; i < losses.size(); i++) {
            for (int row = 0; row < losses.get(i).length; row++) {
                sum = sum.plus(score(windows.get(batches.get(i).get(row)), losses.get(i)[row]));
            }
        }
        return sum;
    }

    private Score score(Window window, float[] losses) {
        Score sum = new Score(0, 0, 0, 0);
        for (int t = 0; t < losses.length; t++) {
            if (window.counts(t + 1)) {
                int bytes = validation.tokenBytes().applyAsInt(window.tokens()[t + 1]);
                sum = sum.plus(new Score(losses[t], 1, bytes > 0 ? losses[t] : 0, bytes));
            }
        }
        return sum;
    }
}
