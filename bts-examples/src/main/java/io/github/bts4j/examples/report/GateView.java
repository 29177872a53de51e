package io.github.bts4j.examples.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A text coloured by its gates, the weights along it (the paper's figure 3) and their means by domain (figure 2). */
final class GateView {
    private static final int SMOOTHING = 4;

    private final GateText text;

    GateView(GateText text) {
        this.text = text;
    }

    private double[] mean(List<GateToken> tokens) {
        double[] sums = new double[text.models().size()];
        for (GateToken token : tokens) {
            for (int i = 0; i < sums.length; i++) {
                sums[i] += token.weights()[i] / (double) tokens.size();
            }
        }
        return sums;
    }

    /** The model with the largest weight. */
    static int favourite(GateToken token) {
        int best = 0;
        for (int i = 1; i < token.weights().length; i++) {
            best = token.weights()[i] > token.weights()[best] ? i : best;
        }
        return best;
    }

    String html() {
        StringBuilder html = new StringBuilder("<section class=\"gate\"><h3>").append(Markup.escape(text.title())).append("</h3><p class=\"legend\">").append(legend());
        html.append("</p><div class=\"tokens\">");
        text.tokens().forEach(token -> html.append(span(token)));
        return html.append("</div><div class=\"charts\">").append(chart()).append(means()).append("</div></section>").toString();
    }

    private String legend() {
        StringBuilder html = new StringBuilder();
        for (int i = 0; i < text.models().size(); i++) {
            html.append("<span><i style=\"background:").append(Markup.colour(i)).append("\"></i>").append(Markup.escape(text.models().get(i))).append("</span> ");
        }
        return html.toString();
    }

    private String span(GateToken token) {
        if (token.text().isEmpty()) {
            return "";
        }
        int model = favourite(token);
        double strength = Markup.shade(token.weights()[model], token.weights().length);
        String tip = weights(token) + (token.domain().isEmpty() ? "" : " | " + token.domain());
        return "<span style=\"background:color-mix(in srgb," + Markup.colour(model) + " " + Markup.number(strength, 0) + "%,transparent)\" title=\""
                + Markup.escape(tip) + "\">" + Markup.escape(token.text()) + "</span>";
    }

    private String weights(GateToken token) {
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < token.weights().length; i++) {
            parts.add(text.models().get(i) + " " + Markup.number(token.weights()[i], 3));
        }
        return String.join(", ", parts);
    }

    private String chart() {
        List<LineChart.Series> series = new ArrayList<>();
        for (int i = 0; i < text.models().size(); i++) {
            series.add(new LineChart.Series(text.models().get(i), Markup.colour(i), smoothed(i)));
        }
        LineChart chart = new LineChart(LineChart.Frame.PAGE, "Gate weights along the text: " + text.title(), series, borders());
        return "<figure>" + chart.svg("token", "gate weight") + "<figcaption class=\"legend\">" + legend() + "</figcaption></figure>";
    }

    private List<double[]> smoothed(int model) {
        List<double[]> points = new ArrayList<>();
        int size = text.tokens().size();
        for (int t = 0; t < size; t++) {
            int from = Math.max(0, t - SMOOTHING);
            int to = Math.min(size, t + SMOOTHING + 1);
            double sum = 0;
            for (int s = from; s < to; s++) {
                sum += text.tokens().get(s).weights()[model];
            }
            points.add(new double[] {t, sum / (to - from)});
        }
        return points;
    }

    private List<LineChart.Border> borders() {
        List<LineChart.Border> borders = new ArrayList<>();
        String last = "";
        for (int t = 0; t < text.tokens().size(); t++) {
            String domain = text.tokens().get(t).domain();
            if (!domain.equals(last) && t + 1 < text.tokens().size()) {
                borders.add(new LineChart.Border(t, domain));
                last = domain;
            }
        }
        return borders;
    }

    private String means() {
        Map<String, List<GateToken>> byDomain = text.tokens().stream()
                .collect(Collectors.groupingBy(GateToken::domain, LinkedHashMap::new, Collectors.toList()));
        StringBuilder html = new StringBuilder("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Mean gate weight\"><table><caption><span>Mean gate weight</span></caption><thead><tr><th scope=\"col\">domain</th>");
        text.models().forEach(model -> html.append("<th scope=\"col\">").append(Markup.escape(model)).append("</th>"));
        html.append("</tr></thead><tbody>");
        byDomain.forEach((domain, tokens) -> {
            html.append("<tr><th scope=\"row\">").append(Markup.escape(domain)).append("</th>");
            for (double value : mean(tokens)) {
                html.append("<td>").append(Markup.number(value, 3)).append("</td>");
            }
            html.append("</tr>");
        });
        return html.append("</tbody></table></div>").toString();
    }
}
