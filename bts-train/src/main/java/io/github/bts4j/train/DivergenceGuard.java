package io.github.bts4j.train;

import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.optim.AdamStatistics;
import io.github.bts4j.train.optim.ZClip;
import io.github.bts4j.train.stability.Safeguards;
import io.github.bts4j.train.stability.SpikeDetector;
import io.github.bts4j.train.stability.StabilityLevel;
import io.github.bts4j.train.stability.StabilityMonitor;
import io.github.bts4j.train.stability.StabilityMonitor.Finding;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A run's divergence guard: detectors, and the reactions so far. Not thread-safe. */
final class DivergenceGuard {
    private final Safeguards safeguards;
    private final MetricsListener listener;
    private final SpikeDetector spikes = new SpikeDetector();
    private final StabilityMonitor monitor = new StabilityMonitor();
    private final ZClip zClip;
    private double learningRateFactor = 1;
    private int nonFinite;
    private int reactions;
    private StabilityLevel worst = StabilityLevel.OK;

    /**
     * The part of its state that a run checkpoint saves.
     *
     * @param learningRateFactor factor on the schedule's learning rate
     * @param nonFinite steps skipped so far
     * @param reactions reactions so far
     * @param worst the worst level of the last measurement
     * @param spikes the loss-spike detector
     * @param monitor the diagnostics' monitor, by tensor
     * @param zClip the norms that ZClip compares with
     */
    record State(double learningRateFactor, int nonFinite, int reactions, StabilityLevel worst, SpikeDetector.State spikes,
            Map<String, StabilityMonitor.Tensor> monitor, ZClip.State zClip) {}

    DivergenceGuard(Safeguards safeguards, MetricsListener listener) {
        this.safeguards = safeguards;
        this.listener = listener;
        this.zClip = new ZClip(safeguards.zClip());
    }

    State state() {
        return new State(learningRateFactor, nonFinite, reactions, worst, spikes.state(), monitor.state(), zClip.state());
    }

    void restore(State state) {
        learningRateFactor = state.learningRateFactor();
        nonFinite = state.nonFinite();
        reactions = state.reactions();
        worst = state.worst();
        spikes.restore(state.spikes());
        monitor.restore(state.monitor());
        zClip.restore(state.zClip());
    }

    /** Restores the detectors after a rewind, but keeps the count of reactions. */
    void restoreDetectors(State state) {
        int done = reactions;
        int left = nonFinite;
        double factor = learningRateFactor;
        restore(state);
        reactions = done;
        nonFinite = left;
        learningRateFactor = factor;
    }

    double learningRateFactor() {
        return learningRateFactor;
    }

    void backOff(double factor) {
        learningRateFactor *= factor;
    }

    /** The limit that the gradient norm is clipped to, at most the configured one. */
    double normLimit(long step, double norm, double maxGradNorm) {
        if (safeguards.zClip() == Double.POSITIVE_INFINITY) {
            return maxGradNorm;
        }
        double limit = zClip.limit(norm);
        if (limit >= norm) {
            return maxGradNorm;
        }
        listener.onMessage(String.format(Locale.ROOT, "ZClip at step %d: gradient norm %.4g is an outlier, clipped to %.4g", step, norm, limit));
        return Math.min(limit, maxGradNorm);
    }

    /** Reports clipped tensors in measured steps: name to the factor on the gradient. */
    void reportClipped(long step, Map<String, Double> clipped) {
        if (measures(step)) {
            clipped.entrySet().stream().min(Map.Entry.comparingByValue()).ifPresent(most -> listener.onMessage(String.format(Locale.ROOT,
                    "Clipping by tensor at step %d: %d gradients; the strongest was %s, scaled by %.3f", step, clipped.size(), most.getKey(), most.getValue())));
        }
    }

    boolean measures(long step) {
        return safeguards.measureEvery() > 0 && step % safeguards.measureEvery() == 0;
    }

    /** Whether a step that is not finite may be skipped; counts it. */
    boolean skipNonFinite(long step, double loss, double gradientNorm) {
        if (nonFinite >= safeguards.maxNonFinite()) {
            return false;
        }
        nonFinite++;
        listener.onMessage(String.format(Locale.ROOT, "Step %d skipped: loss %s, gradient norm %s (%d of at most %d such steps)", step, loss, gradientNorm,
                nonFinite, safeguards.maxNonFinite()));
        return true;
    }

    /** Evaluates a step. Returns the reason for a reaction, or empty. */
    Optional<String> observe(long step, double loss, Map<String, AdamStatistics> measured) {
        double limit = spikes.limit();
        boolean spike = spikes.observe(loss);
        boolean alarm = false;
        if (!measured.isEmpty()) {
            List<Finding> findings = monitor.observe(step, measured);
            StabilityLevel level = findings.isEmpty() ? StabilityLevel.OK : findings.get(0).level();
            if (level != worst && !findings.isEmpty()) {
                Finding first = findings.get(0);
                listener.onMessage(level + " at step " + step + ": " + first.tensor() + ": " + first.reason()
                        + (findings.size() > 1 ? "; " + (findings.size() - 1) + " more tensors" : ""));
            }
            alarm = level == StabilityLevel.ALARM && worst != StabilityLevel.ALARM;
            worst = level;
        }
        if (spike) {
            String reason = String.format(Locale.ROOT, "loss spike at step %d: %.4f is above %.4f", step, loss, limit);
            listener.onMessage("Loss spike" + reason.substring("loss spike".length()));
            return Optional.of(reason);
        }
        return alarm && safeguards.reactToAlarms() ? Optional.of("alarm at step " + step) : Optional.empty();
    }

    /** The last measurement as metrics. */
    Map<String, Double> metrics(Map<String, AdamStatistics> measured) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        if (!measured.isEmpty()) {
            metrics.putAll(monitor.metrics(measured));
            metrics.put("adam/level", (double) worst.ordinal());
        }
        return metrics;
    }

    /** Reports the measurements of each tensor to the listener. */
    void report(long step, Map<String, AdamStatistics> measured) {
        if (!measured.isEmpty()) {
            StabilityMonitor.histograms(step, measured).forEach(listener::onHistogram);
            listener.onTensors(monitor.tensorMetrics(step, measured));
        }
    }

    StabilityLevel level() {
        return worst;
    }

    /** Counts a reaction; false when there have been as many as allowed. */
    boolean mayReact() {
        if (reactions >= safeguards.maxReactions()) {
            return false;
        }
        reactions++;
        return true;
    }
}
