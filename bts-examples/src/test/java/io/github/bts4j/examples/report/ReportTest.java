package io.github.bts4j.examples.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.train.metrics.HistogramMetrics;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Document;

/** What a reader relies on in the report: escaping, the marked best values, the geometry of charts. */
class ReportTest {
    private static final ResultTable TABLE = new ResultTable("Held-out text", "bits per byte", List.of("a", "b"), List.of(
            new Row("seed", new double[] {2.5, 1.25}, "first"), new Row("BTS", new double[] {2.25, 1.5}, "second")));

    private static final Map<String, Double> DIAGNOSTICS = new TreeMap<>(Map.of("adam/all/gradient_over_eps", 1234.5, "adam/all/saturation", 0.0021,
            "adam/stitch.<gate>/gradient_over_eps", Double.POSITIVE_INFINITY, "adam/stitch.<gate>/saturation", 0.5, "adam/level", 1.0));

    static Report report(List<GateText> gates, List<Sample> samples) {
        Curve curve = new Curve("stitch <1>", List.of(new Point(1, 4.0), new Point(11, 3.0)));
        List<HistogramMetrics> updates = List.of(3L, 4L, 5L, 6L, 7L).stream().map(step -> new HistogramMetrics(step, "u", -1, 1, new double[] {1, 2, step})).toList();
        return new Report("A & B", "sub", new Verdict("BTS <won>"), List.of(curve, new Curve("empty", List.of())), List.of(new Distributions("stitch", updates, 0.25, DIAGNOSTICS)), TABLE,
                gates, samples, List.of("note"));
    }

    private static Document parse(String html) throws Exception {
        String xml = html.substring("<!DOCTYPE html>".length());
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void hostileTextStaysText() throws Exception {
        String hostile = "</pre><script>alert(\"1\")</script>\u0000 & \uD83D\uDE42";
        GateText gates = new GateText(hostile, List.of("hub", "x<y"), List.of(new GateToken(hostile, new float[] {0.25f, 0.75f}, "a\"b"),
                new GateToken("", new float[] {0.5f, 0.5f}, "a\"b"), new GateToken("plain", new float[] {0.75f, 0.25f}, "c")));
        String html = report(List.of(gates), List.of(new Sample(hostile, hostile, ""))).html();
        assertFalse(html.contains("<script"));
        Document document = parse(html);
        assertEquals("</pre><script>alert(\"1\")</script>\uFFFD & \uD83D\uDE42".repeat(2), document.getElementsByTagName("pre").item(0).getTextContent());
    }

    @Test
    void theBestOfEachColumnIsMarked() throws Exception {
        Document document = parse(report(List.of(), List.of()).html());
        StringBuilder best = new StringBuilder();
        var cells = document.getElementsByTagName("td");
        for (int i = 0; i < cells.getLength(); i++) {
            if (cells.item(i).getAttributes().getNamedItem("class") != null) {
                best.append(cells.item(i).getTextContent()).append(' ');
            }
        }
        assertEquals("1.250 2.250 ", best.toString());
    }

    @Test
    void chartsMapValuesToTheirPlaces() {
        LineChart.Frame frame = new LineChart.Frame(640, 200, 46, 8, 14, 26, 6);
        LineChart chart = new LineChart(frame, "t", List.of(new LineChart.Series("s", "#000", List.of(new double[] {0, 1}, new double[] {10, 3}))), List.of());
        assertEquals(46, chart.x(0), 1e-9);
        assertEquals(632, chart.x(10), 1e-9);
        assertEquals(174, chart.y(1), 1e-9);
        assertEquals(14, chart.y(3), 1e-9);
        assertTrue(chart.svg("x", "y").contains("points=\"46.0,174.0 632.0,14.0\""), chart.svg("x", "y"));
    }

    /** What a reader calls round: a power of ten, or a fifth, a quarter or a half of one, and no more intervals than are wanted. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            10 | 20 | 4 | 10.0 12.5 15.0 17.5 20.0
            10 | 20 | 5 | 10 12 14 16 18 20
            1 | 2000 | 5 | 500 1,000 1,500 2,000
            0 | 255 | 5 | 0 50 100 150 200 250
            -1 | 1 | 4 | -1.0 -0.5 0.0 0.5 1.0
            0.0301 | 0.0419 | 4 | 0.032 0.034 0.036 0.038 0.040
            1.62 | 1.78 | 4 | 1.65 1.70 1.75
            7 | 7 | 2 | 7.0 7.5 8.0
            1e-7 | 4e-7 | 3 | 0.0000001 0.0000002 0.0000003 0.0000004
            """)
    void ticksAreRound(double from, double to, int ticks, String labels) {
        Axis axis = Axis.within(from, to, ticks);
        assertEquals(labels, String.join(" ", axis.ticks().stream().map(axis::label).toList()));
    }

    @Test
    void anAxisAroundValuesBeginsAndEndsAtATick() {
        Axis axis = Axis.around(1.62, 1.78, 4);
        assertEquals(1.6, axis.from(), 1e-12);
        assertEquals(1.8, axis.to(), 1e-12);
        assertEquals(List.of("1.60", "1.65", "1.70", "1.75", "1.80"), axis.ticks().stream().map(axis::label).toList());
    }

    /** Names of borders stand above the plot, each where the one before leaves room; every name is told when its border is pointed at. */
    @Test
    void namesOfBordersStandAboveThePlot() throws Exception {
        List<double[]> points = List.of(new double[] {0, 0}, new double[] {100, 1});
        List<LineChart.Border> borders = List.of(new LineChart.Border(0, "code"), new LineChart.Border(2, "hidden"), new LineChart.Border(50, "Spanish"), new LineChart.Border(98, "too wide"));
        Document document = parse("<!DOCTYPE html>" + new LineChart(LineChart.Frame.PAGE, "t", List.of(new LineChart.Series("s", "#000", points)), borders).svg("x", "y"));
        var texts = document.getElementsByTagName("text");
        Map<String, Double> heights = new TreeMap<>();
        for (int i = 0; i < texts.getLength(); i++) {
            heights.put(texts.item(i).getTextContent(), Double.valueOf(texts.item(i).getAttributes().getNamedItem("y").getNodeValue()));
        }
        assertTrue(heights.get("code") < LineChart.Frame.PAGE.top() && heights.get("Spanish") < LineChart.Frame.PAGE.top(), heights.toString());
        assertFalse(heights.containsKey("hidden") || heights.containsKey("too wide"), heights.toString());
        assertTrue(document.getElementsByTagName("title").item(2).getTextContent().equals("hidden"));
    }

    @Test
    void namesForPeopleReplaceThoseOfFiles() {
        GateText text = new GateText("t", List.of("seed", "lang2"), List.of(new GateToken("Y", new float[] {0.25f, 0.75f}, "lang2")));
        GateText named = text.named(name -> name.equals("lang2") ? "Spanish" : name);
        assertEquals(List.of("seed", "Spanish"), named.models());
        String html = new GateView(named).html();
        assertTrue(html.contains("title=\"seed 0.250, Spanish 0.750 | Spanish\"") && !html.contains("lang2"), html);
    }

    @Test
    void theUpdateDistributionIsDrawnFirstMiddleAndLastAsDensity() throws Exception {
        String html = report(List.of(), List.of()).html();
        parse(html);
        for (String shown : List.of("independent gradients", "step 3", "step 5", "step 7")) {
            assertTrue(html.contains("</i>" + shown + "</span>"), shown);
        }
        assertFalse(html.contains("step 4"));
        // of counts 1, 2, 7 in bins of width 2/3 the last has density 7 / (10 * 2/3) = 1.05; the normal density at 0 is 1.596, the top of the chart
        LineChart chart = new LineChart(LineChart.Frame.PAGE, "t", List.of(new LineChart.Series("s", "#000",
                List.of(new double[] {-2 / 3.0, 1 / (0.25 * Math.sqrt(2 * Math.PI))}, new double[] {2 / 3.0, Math.exp(-32 / 9.0) / (0.25 * Math.sqrt(2 * Math.PI))}))),
                List.of());
        assertTrue(html.contains(Markup.number(chart.x(2 / 3.0), 1) + "," + Markup.number(chart.y(1.05), 1) + "\""), html);
    }

    @Test
    void theLastDiagnosticsStandInATable() throws Exception {
        Document document = parse(report(List.of(), List.of()).html());
        assertEquals(2, document.getElementsByTagName("table").getLength());
        String table = document.getElementsByTagName("table").item(1).getTextContent();
        assertEquals("Diagnostics of Adam in the phase stitch, step 7, by group of tensors" + "diagnostic" + "all" + "stitch.<gate>"
                + "gradient over eps" + "1.23e+03" + "Infinity" + "saturation" + "0.00210" + "0.500", table);
    }

    /** From 8 % where no model is preferred to 40 %, as on the server's page. */
    @Test
    void aTokenHasTheColourOfTheModelWithTheLargestWeight() {
        GateToken first = new GateToken("a", new float[] {0.75f, 0.25f}, "");
        GateToken second = new GateToken("b", new float[] {0, 1}, "");
        GateToken third = new GateToken("c", new float[] {0.5f, 0.5f}, "");
        String html = new GateView(new GateText("t", List.of("hub", "expert"), List.of(first, second, third))).html();
        assertTrue(html.contains("color-mix(in srgb,var(--m0) 24%,transparent)\" title=\"hub 0.750, expert 0.250\">a<"), html);
        assertTrue(html.contains("color-mix(in srgb,var(--m1) 40%,transparent)\" title=\"hub 0.000, expert 1.000\">b<"), html);
        assertTrue(html.contains("color-mix(in srgb,var(--m0) 8%,transparent)\" title=\"hub 0.500, expert 0.500\">c<"), html);
    }

    /** Its curve, its row and its tokens; what is no model has another colour. */
    @Test
    void aModelKeepsItsColour() throws Exception {
        List<Point> points = List.of(new Point(1, 4.0), new Point(11, 3.0));
        GateText gates = new GateText("t", List.of("seed", "code", "Spanish"), List.of(new GateToken("a", new float[] {0, 0, 1}, "")));
        ResultTable table = new ResultTable("c", "bits", List.of("a"), List.of(new Row("seed", new double[] {3}, ""), new Row("expert Spanish", new double[] {2}, ""), new Row("BTS", new double[] {1}, "")));
        String html = new Report("t", "s", new Verdict("v"), List.of(new Curve("expert Spanish", points), new Curve("stitch", points)), List.of(), table, List.of(gates), List.of(), List.of()).html();
        parse(html);
        assertTrue(html.contains("stroke=\"var(--m2)\"") && html.contains("stroke=\"var(--accent)\""), html);
        assertTrue(html.contains("background:var(--m0)\"></i>seed<") && html.contains("background:var(--m2)\"></i>expert Spanish<") && html.contains("<th scope=\"row\">BTS<"), html);
    }

    @Test
    void theVerdictComesFirst() throws Exception {
        Document document = parse(report(List.of(), List.of()).html());
        assertEquals("BTS <won>", document.getElementsByTagName("p").item(1).getTextContent());
    }
}
