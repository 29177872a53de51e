package io.github.bts4j.examples.report;

import io.github.bts4j.train.metrics.HistogramMetrics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Adam's update distribution at several steps of a phase, beside what independent gradients would give.
 *
 * @param phase name of the phase
 * @param histograms the distributions, in the order of the steps, all over the same bins
 * @param healthySpread standard deviation of the normal distribution to compare with
 * @param diagnostics Adam's diagnostics at the last of these steps, by names such as {@code adam/stitch.gate/saturation}
 */
public record Distributions(String phase, List<HistogramMetrics> histograms, double healthySpread, Map<String, Double> diagnostics) {
    /** The first, the middle and the last one: more curves would hide each other. */
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
            add(series, legend, "step " + Markup.count(histogram.step()), "var(--t" + (series.size() - 1) + ")", points);
        }
        String title = "Update distribution of Adam in the phase " + phase;
        return "<figure>" + new LineChart(LineChart.Frame.PAGE, title, series, List.of()).svg("r = m / sqrt(v), bias-corrected", "density") + "<figcaption class=\"legend\">" + legend
                + "</figcaption></figure>";
    }

    /** The diagnostics as a table: a column for every group of tensors, of which there are fewer. */
    String table() {
        Map<String, Map<String, Double>> groups = new LinkedHashMap<>();
        diagnostics.forEach((name, value) -> {
            String[] parts = name.split("/"); // adam, group, diagnostic
            if (parts.length == 3) {
                groups.computeIfAbsent(parts[1], group -> new LinkedHashMap<>()).put(parts[2], value);
            }
        });
        if (groups.isEmpty()) {
            return "";
        }
        StringBuilder html = new StringBuilder("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Diagnostics of Adam\"><table><caption><span>Diagnostics of Adam in the phase " + Markup.escape(phase) + ", step "
                + Markup.count(histograms.get(histograms.size() - 1).step()) + ", by group of tensors</span></caption><thead><tr><th scope=\"col\">diagnostic</th>");
        groups.keySet().forEach(group -> html.append("<th scope=\"col\">").append(Markup.escape(group)).append("</th>"));
        html.append("</tr></thead><tbody>");
        groups.values().iterator().next().keySet().forEach(name -> {
            html.append("<tr><th scope=\"row\">").append(Markup.escape(name.replace('_', ' '))).append("</th>");
            groups.values().forEach(values -> html.append("<td>").append(String.format(Locale.ROOT, "%.3g", values.get(name))).append("</td>"));
            html.append("</tr>");
        });
        return html.append("</tbody></table></div>").toString();
    }

    private static double middle(HistogramMetrics histogram, int bin) {
        return histogram.low() + (histogram.high() - histogram.low()) * (bin + 0.5) / histogram.counts().length;
    }

    private static void add(List<LineChart.Series> series, StringBuilder legend, String name, String colour, List<double[]> points) {
        series.add(new LineChart.Series(name, colour, points));
        legend.append("<span><i style=\"background:" + colour + "\"></i>" + Markup.escape(name) + "</span>");
    }
}
