package io.github.bts4j.examples.report;

import io.github.bts4j.train.metrics.HistogramMetrics;
import java.util.ArrayList;
import java.util.List;

/**
 * Adam's update distribution at several steps of a phase, beside what independent gradients would give.
 *
 * @param phase name of the phase
 * @param histograms the distributions, in the order of the steps, all over the same bins
 * @param healthySpread standard deviation of the normal distribution to compare with
 */
public record Distributions(String phase, List<HistogramMetrics> histograms, double healthySpread) {
    /** First, middle and last: more would hide each other. */
    private List<HistogramMetrics> shown() {
        int last = histograms.size() - 1;
        return last < 2 ? histograms : List.of(histograms.get(0), histograms.get(last / 2), histograms.get(last));
    }

    String html() {
        List<LineChart.Series> series = new ArrayList<>();
        StringBuilder legend = new StringBuilder();
        HistogramMetrics first = histograms.get(0);
        List<double[]> healthy = new ArrayList<>();
        for (int i = 0; i < first.counts().length; i++) {
            double r = middle(first, i) / healthySpread;
            healthy.add(new double[] {middle(first, i), Math.exp(-r * r / 2) / (healthySpread * Math.sqrt(2 * Math.PI))});
        }
        add(series, legend, "independent gradients", "var(--soft)", healthy);
        for (HistogramMetrics histogram : shown()) {
            double all = java.util.Arrays.stream(histogram.counts()).sum() * (histogram.high() - histogram.low()) / histogram.counts().length;
            List<double[]> points = new ArrayList<>();
            for (int i = 0; i < histogram.counts().length; i++) {
                points.add(new double[] {middle(histogram, i), histogram.counts()[i] / all});
            }
            add(series, legend, "step " + histogram.step(), Markup.colour(series.size() - 1), points);
        }
        String title = "Update distribution of Adam in the phase " + phase;
        return "<figure>" + new LineChart(title, series, List.of()).svg("r = m / sqrt(v), bias-corrected", "density") + "<figcaption class=\"legend\">" + legend
                + "</figcaption></figure>";
    }

    private static double middle(HistogramMetrics histogram, int bin) {
        return histogram.low() + (histogram.high() - histogram.low()) * (bin + 0.5) / histogram.counts().length;
    }

    private static void add(List<LineChart.Series> series, StringBuilder legend, String name, String colour, List<double[]> points) {
        series.add(new LineChart.Series(name, colour, points));
        legend.append("<span><i style=\"background:" + colour + "\"></i>" + Markup.escape(name) + "</span>");
    }
}
