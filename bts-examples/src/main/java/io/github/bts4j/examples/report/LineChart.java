package io.github.bts4j.examples.report;

import java.util.List;

/** A line chart as inline SVG: axes, round ticks, one line per series, optional vertical borders with names above the plot. */
final class LineChart {
    private static final int TICKS_X = 6;
    private static final int TICKS_Y = 5;
    private static final int MAX_POINTS = 400;

    /** The layout of a chart; {@code letter} is the mean width of a letter. */
    record Frame(int width, int height, int left, int right, int top, int bottom, double letter) {
        /** Half a page wide, or a phone: text of twelve units can be read on both. */
        static final Frame PAGE = new Frame(420, 250, 48, 20, 36, 40, 6.5);
        /** A standalone file, with text of ten units. */
        static final Frame FILE = new Frame(640, 208, 46, 20, 20, 32, 5.5);
    }

    /** A series: a name, a colour, and points as x, y pairs. */
    record Series(String name, String colour, List<double[]> points) {}

    /** A border at an x value, with the name of what begins there. */
    record Border(double x, String name) {}

    private final Frame frame;
    private final String title;
    private final List<Series> series;
    private final List<Border> borders;
    private final Axis horizontal;
    private final Axis vertical;

    LineChart(Frame frame, String title, List<Series> series, List<Border> borders) {
        this.frame = frame;
        this.title = title;
        this.series = series;
        this.borders = borders;
        this.horizontal = Axis.within(extreme(0, true), extreme(0, false), TICKS_X);
        this.vertical = Axis.around(extreme(1, true), extreme(1, false), TICKS_Y);
    }

    private double extreme(int axis, boolean smallest) {
        var values = series.stream().flatMap(s -> s.points().stream()).mapToDouble(point -> point[axis]);
        return (smallest ? values.min() : values.max()).orElse(0);
    }

    double x(double value) {
        return frame.left() + (value - horizontal.from()) / (horizontal.to() - horizontal.from()) * (frame.width() - frame.left() - frame.right());
    }

    double y(double value) {
        return bottom() - (value - vertical.from()) / (vertical.to() - vertical.from()) * (bottom() - frame.top());
    }

    private int bottom() {
        return frame.height() - frame.bottom();
    }

    private int right() {
        return frame.width() - frame.right();
    }

    String svg(String unitX, String unitY) {
        StringBuilder svg = new StringBuilder("<svg viewBox=\"0 0 " + frame.width() + " " + frame.height() + "\" role=\"img\" aria-label=\"" + Markup.escape(title) + "\">");
        svg.append("<title>").append(Markup.escape(title)).append("</title>");
        for (double tick : vertical.ticks()) {
            String at = Markup.number(y(tick), 1);
            svg.append("<line class=\"grid\" x1=\"" + frame.left() + "\" x2=\"" + right() + "\" y1=\"" + at + "\" y2=\"" + at + "\"/>");
            svg.append(text(frame.left() - 6, y(tick) + 4, "end", vertical.label(tick)));
        }
        for (double tick : horizontal.ticks()) {
            String at = Markup.number(x(tick), 1);
            svg.append("<line class=\"grid\" x1=\"" + at + "\" x2=\"" + at + "\" y1=\"" + bottom() + "\" y2=\"" + (bottom() + 4) + "\"/>");
            svg.append(text(x(tick), bottom() + frame.bottom() * 0.42, "middle", horizontal.label(tick)));
        }
        svg.append(text(right(), frame.height() - 5, "end", unitX)).append(text(4, 14, "start", unitY));
        borders(svg);
        series.forEach(line -> svg.append("<polyline fill=\"none\" stroke-width=\"1.6\" stroke=\"" + line.colour() + "\" points=\""
                + coordinates(line.points()) + "\"><title>" + Markup.escape(line.name()) + "</title></polyline>"));
        return svg.append("</svg>").toString();
    }

    /** Names stand above the plot, where no line runs; a name without room is a tooltip of the border. */
    private void borders(StringBuilder svg) {
        double free = 0;
        for (Border border : borders) {
            String at = Markup.number(x(border.x()), 1);
            svg.append("<line class=\"border\" x1=\"" + at + "\" x2=\"" + at + "\" y1=\"" + (frame.top() - 14) + "\" y2=\"" + bottom() + "\"><title>"
                    + Markup.escape(border.name()) + "</title></line>");
            double end = x(border.x()) + 4 + frame.letter() * border.name().length();
            if (x(border.x()) >= free && end <= frame.width()) {
                svg.append(text(x(border.x()) + 4, frame.top() - 5, "start", border.name()));
                free = end;
            }
        }
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
