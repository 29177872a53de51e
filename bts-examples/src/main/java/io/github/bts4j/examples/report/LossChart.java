package io.github.bts4j.examples.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Several losses over the same steps as a standalone SVG file with a legend. */
public final class LossChart {
    private static final List<String> COLOURS = List.of("#777777", "#c0392b", "#1f77b4", "#2e8b57", "#b8860b", "#7d3c98", "#e67e22", "#16a085");
    private static final int LINE = 15;

    private LossChart() {}

    /**
     * Draws.
     *
     * @param title what is shown
     * @param panels one chart each, below each other: name to losses, at most eight of them
     * @return the SVG
     * @throws IllegalArgumentException if a panel has more curves than there are colours
     */
    public static String svg(String title, List<Map<String, List<Double>>> panels) {
        StringBuilder charts = new StringBuilder();
        int height = 0;
        for (Map<String, List<Double>> curves : panels) {
            charts.append("<g transform=\"translate(0 " + height + ")\">" + panel(title, curves) + "</g>");
            height += LineChart.Frame.FILE.height() + 20 + LINE * curves.size();
        }
        String style = "<style>text{font:10px sans-serif;fill:#333}.grid{stroke:#ddd}.border{stroke:#999}</style><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>";
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + LineChart.Frame.FILE.width() + " " + height + "\" role=\"img\">" + style + charts + "</svg>\n";
    }

    private static String panel(String title, Map<String, List<Double>> curves) {
        if (curves.size() > COLOURS.size()) {
            throw new IllegalArgumentException(curves.size() + " curves: at most " + COLOURS.size() + " can be distinguished");
        }
        List<LineChart.Series> series = new ArrayList<>();
        StringBuilder legend = new StringBuilder();
        curves.forEach((name, losses) -> {
            String colour = COLOURS.get(series.size());
            int y = LineChart.Frame.FILE.height() + 12 + LINE * series.size();
            legend.append("<rect x=\"46\" y=\"" + (y - 7) + "\" width=\"18\" height=\"3\" fill=\"" + colour + "\"/>");
            legend.append("<text x=\"70\" y=\"" + y + "\">" + Markup.escape(name) + "</text>");
            List<double[]> points = new ArrayList<>();
            for (int step = 0; step < losses.size(); step++) {
                points.add(new double[] {step + 1, losses.get(step)});
            }
            series.add(new LineChart.Series(name, colour, points));
        });
        String chart = new LineChart(LineChart.Frame.FILE, title, series, List.of()).svg("updates", "nats per token");
        return chart.substring(chart.indexOf('>') + 1).replace("</svg>", "") + legend;
    }
}
