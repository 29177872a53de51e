package io.github.bts4j.examples.quickstart;

import io.github.bts4j.examples.report.Curve;
import io.github.bts4j.examples.report.Point;
import io.github.bts4j.train.metrics.HistogramMetrics;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.StepMetrics;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Collects a phase's losses, averaged over a few steps, and Adam's update distributions and diagnostics, for the report. */
final class LossCurve implements MetricsListener {
    private static final int STEPS_PER_POINT = 10;

    private final String phase;
    private final List<Point> points = new ArrayList<>();
    private final List<HistogramMetrics> updates = new ArrayList<>();
    private Map<String, Double> diagnostics = Map.of();
    private double sum;
    private int count;

    LossCurve(String phase) {
        this.phase = phase;
    }

    @Override
    public void onStep(StepMetrics metrics) {
        diagnostics = metrics.extra().isEmpty() ? diagnostics : metrics.extra();
        sum += metrics.loss();
        count++;
        if (count == STEPS_PER_POINT || metrics.step() == metrics.totalSteps()) {
            points.add(new Point(metrics.step(), sum / count));
            sum = 0;
            count = 0;
        }
    }

    @Override
    public void onHistogram(HistogramMetrics metrics) {
        if (metrics.name().equals("adam/all/update")) {
            updates.add(metrics);
        }
    }

    List<HistogramMetrics> updates() {
        return List.copyOf(updates);
    }

    /** Adam's diagnostics of the last measurement. */
    Map<String, Double> diagnostics() {
        return diagnostics;
    }

    Curve curve() {
        return new Curve(phase, List.copyOf(points));
    }
}
