package io.github.bts4j.examples.report;

import java.util.List;

/** A line chart as inline SVG: axes, ticks, one line per series, optional vertical borders with names. */
final class LineChart {
    static final int WIDTH = 640;
    static final int HEIGHT = 200;
    static final int LEFT = 46;
    static final int BOTTOM = 26;
    static final int TOP = 14;
    private static final int TICKS = 4;
    private static final int MAX_POINTS = 400;

    /** A series: a name, a colour, and points as x, y pairs. */
    record Series(String name, String colour, List<double[]> points) {}

    /** A border at an x value, with the name of what begins there. */
    record Border(double x, String name) {}

    private final String title;
    private final List<Series> series;
    private final List<Border> borders;
    private final double minX;
    private final double maxX;
    private final double minY;
    private final double maxY;

    LineChart(String title, List<Series> series, List<Border> borders) {
        this.title = title;
        this.series = series;
        this.borders = borders;
        this.minX = extreme(0, true);
        this.maxX = Math.max(extreme(0, false), minX + 1e-9);
        this.minY = extreme(1, true);
        this.maxY = Math.max(extreme(1, false), minY + 1e-9);
    }

    private double extreme(int axis, boolean smallest) {
        var values = series.stream().flatMap(s -> s.points().stream()).mapToDouble(point -> point[axis]);
        return (smallest ? values.min() : values.max()).orElse(0);
    }

    double x(double value) {
        return LEFT + (value - minX) / (maxX - minX) * (WIDTH - LEFT - 8);
    }

    double y(double value) {
        return HEIGHT - BOTTOM - (value - minY) / (maxY - minY) * (HEIGHT - BOTTOM - TOP);
    }

    String svg(String unitX, String unitY) {
        StringBuilder svg = new StringBuilder("<svg viewBox=\"0 0 " + WIDTH + " " + HEIGHT + "\" role=\"img\" aria-label=\"" + Markup.escape(title) + "\">");
        svg.append("<title>").append(Markup.escape(title)).append("</title>");
        for (int tick = 0; tick <= TICKS; tick++) {
            axis(svg, (double) tick / TICKS);
        }
        svg.append(text(WIDTH - 8, HEIGHT - 2, "end", unitX)).append(text(LEFT, TOP - 4, "start", unitY));
        for (Border border : borders) {
            String at = Markup.number(x(border.x()), 1);
            svg.append("<line class=\"border\" x1=\"" + at + "\" x2=\"" + at + "\" y1=\"" + TOP + "\" y2=\"" + (HEIGHT - BOTTOM) + "\"/>");
            svg.append(text(x(border.x()) + 3, TOP + 9, "start", border.name()));
        }
        series.forEach(line -> svg.append("<polyline fill=\"none\" stroke-width=\"1.6\" stroke=\"" + line.colour() + "\" points=\""
                + coordinates(line.points()) + "\"><title>" + Markup.escape(line.name()) + "</title></polyline>"));
        return svg.append("</svg>").toString();
    }

    private void axis(StringBuilder svg, double share) {
        double valueY = minY + share * (maxY - minY);
        String at = Markup.number(y(valueY), 1);
        svg.append("<line class=\"grid\" x1=\"" + LEFT + "\" x2=\"" + (WIDTH - 8) + "\" y1=\"" + at + "\" y2=\"" + at + "\"/>");
        svg.append(text(LEFT - 5, y(valueY) + 4, "end", Markup.number(valueY, maxY - minY < 2 ? 2 : 1)));
        double valueX = minX + share * (maxX - minX);
        svg.append(text(x(valueX), HEIGHT - BOTTOM + 13, share == 0 ? "start" : share == 1 ? "end" : "middle", Markup.number(valueX, maxX - minX < 10 ? 1 : 0)));
    }

    private static String text(double x, double y, String anchor, String text) {
        return "<text x=\"" + Markup.number(x, 1) + "\" y=\"" + Markup.number(y, 1) + "\" text-anchor=\"" + anchor + "\">" + Markup.escape(text) + "</text>";
    }

    private String coordinates(List<double[]> points) {
        StringBuilder out = new StringBuilder();
        int every = Math.max(1, (points.size() + MAX_POINTS - 1) / MAX_POINTS);
        for (int i = 0; i < points.size(); i++) {
            if (i % every == 0 || i == points.size() - 1) {
                out.append(Markup.number(x(points.get(i)[0]), 1)).append(',').append(Markup.number(y(points.get(i)[1]), 1)).append(' ');
            }
        }
        return out.toString().trim();
    }
}
