package io.github.bts4j.examples.report;

import io.github.bts4j.core.checkpoint.AtomicFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A report in one HTML file without external assets; it adapts to dark mode and narrow screens.
 *
 * @param title the heading
 * @param subtitle the line below it
 * @param verdict who won, and by how much
 * @param curves loss curves, one chart each
 * @param distributions Adam's update distributions, one chart each
 * @param table the results
 * @param gateTexts texts with gate weights
 * @param samples generated texts
 * @param notes closing remarks
 */
public record Report(String title, String subtitle, Verdict verdict, List<Curve> curves, List<Distributions> distributions, ResultTable table, List<GateText> gateTexts,
        List<Sample> samples, List<String> notes) {
    private static final String STYLE = """
            :root{color-scheme:light dark;--ink:light-dark(#1b1f24,#e8ebf0);--soft:light-dark(#57606c,#a3adba);--line:light-dark(#d6dbe1,#343b45);
            --paper:light-dark(#fff,#14171c);--card:light-dark(#f4f6f8,#1c2128);--accent:light-dark(#1f4fb0,#8ab4ff);
            --t0:color-mix(in srgb,var(--accent) 45%,var(--paper));--t1:color-mix(in srgb,var(--accent) 70%,var(--paper));--t2:var(--accent)}
            body{margin:0 auto;max-width:62rem;padding:2rem 1.2rem 4rem;background:var(--paper);color:var(--ink);
            font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
            h1{font-size:1.9rem;margin:0}h2{margin:2.6rem 0 .8rem;font-size:1.3rem}h3{margin:1.6rem 0 .4rem;font-size:1.05rem}
            .sub{color:var(--soft);margin:.2rem 0 0}.verdict{font-size:1.2rem;line-height:1.45;margin:1.2rem 0 0;padding-left:.9rem;border-left:4px solid var(--accent)}
            .row{margin-right:.45em}.note{color:var(--soft);font-size:.92rem}
            .scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.94rem}
            caption{text-align:left;color:var(--soft);padding:.3rem 0;font-size:.9rem}
            caption span{display:block;position:sticky;left:0;max-width:min(59rem,calc(100vw - 2.4rem))}
            th,td{padding:.32rem .7rem;white-space:nowrap;border-bottom:1px solid var(--line);text-align:right}th[scope=row]{text-align:left;font-weight:500}
            th:first-child{text-align:left;position:sticky;left:0;background:var(--paper)}td.best{font-weight:700;background:var(--card)}td.best::after{content:" \\2605";font-size:.75em}
            td small,th small{display:block;white-space:normal;max-width:16rem;color:var(--soft);font-weight:400}
            .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(26rem,100%),1fr));gap:1rem}
            figure{margin:.6rem 0;padding:.5rem;background:var(--card);border-radius:8px}figcaption{font-size:.9rem;color:var(--soft)}
            svg{width:100%;height:auto;display:block}svg text{font-size:12px;fill:var(--soft)}
            svg .grid{stroke:var(--line)}svg .border{stroke:var(--soft);stroke-dasharray:3 3}
            .tokens{white-space:pre-wrap;overflow-wrap:anywhere;font:13.5px/1.75 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;
            background:var(--card);border-radius:8px;padding:.8rem 1rem}.tokens span{border-radius:3px}
            .legend span{margin-right:1rem;white-space:nowrap}.legend i,.row{display:inline-block;width:.8em;height:.8em;border-radius:3px}.legend i{margin-right:.35em}
            pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);border-radius:8px;padding:.8rem 1rem;font-size:.9rem}
            @media(max-width:34rem){svg text{font-size:14.5px}td small,th small{max-width:8.5rem}th,td{padding:.32rem .45rem}}
            @media print{body{max-width:none}.charts{display:block}figure,section{break-inside:avoid}}
            """;

    /**
     * Writes the report.
     *
     * @param file the HTML file, which appears whole or not at all
     * @throws IOException if it cannot be written
     */
    public void write(Path file) throws IOException {
        AtomicFiles.write(file, html());
    }

    String html() {
        StringBuilder html = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
                + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><title>" + Markup.escape(title) + "</title><style>");
        html.append(Markup.palette()).append(STYLE).append("</style></head><body><main><h1>").append(Markup.escape(title)).append("</h1><p class=\"sub\">")
                .append(Markup.escape(subtitle)).append("</p><p class=\"verdict\">").append(Markup.escape(verdict.sentence())).append("</p>");
        html.append("<h2>").append(Markup.escape(table.caption())).append("</h2>").append(tableHtml());
        html.append("<h2>Training loss</h2><div class=\"charts\">");
        curves.stream().filter(curve -> !curve.points().isEmpty()).forEach(curve -> html.append(chart(curve)));
        html.append("</div>");
        if (!distributions.isEmpty()) {
            html.append("<h2>The health of Adam</h2><p class=\"note\">How Adam's updates are distributed over all trained weights. Gradients that do not depend "
                    + "on each other give the grey normal distribution; a broad one means that they point the same way from step to step, and two peaks "
                    + "with a valley between them come before a divergence (arXiv 2304.09871).</p><div class=\"charts\">");
            distributions.forEach(distribution -> html.append(distribution.html()));
            html.append("</div>");
            distributions.forEach(distribution -> html.append(distribution.table()));
        }
        html.append("<h2>What the gates listen to</h2><p class=\"note\">A token has the colour of the model with the largest gate weight after the "
                + "last stitch; the stronger the shade, the larger the weight. Point at a token for its weights. The chart shows the weights along the "
                + "text, smoothed over nine tokens; dashed lines are borders between domains.</p>");
        gateTexts.forEach(text -> html.append(new GateView(text).html()));
        if (!samples.isEmpty()) {
            html.append("<h2>Generated by the stitched model</h2>");
        }
        samples.forEach(sample -> html.append("<pre><b>").append(Markup.escape(sample.prompt())).append("</b>").append(Markup.escape(sample.continuation()))
                .append("</pre><p class=\"note\">").append(Markup.escape(sample.note())).append("</p>"));
        notes.forEach(note -> html.append("<p class=\"note\">").append(Markup.escape(note)).append("</p>"));
        return html.append("</main></body></html>\n").toString();
    }

    /** A model's colour, or that of everything else; an expert may be called so. */
    private String colour(String name) {
        List<String> models = gateTexts.isEmpty() ? List.of() : gateTexts.get(0).models();
        int model = Math.max(models.indexOf(name), models.indexOf(name.replaceFirst("^expert ", "")));
        return model < 0 ? "var(--accent)" : Markup.colour(model);
    }

    private String chart(Curve curve) {
        List<double[]> points = curve.points().stream().map(point -> new double[] {point.step(), point.loss()}).toList();
        LineChart chart = new LineChart(LineChart.Frame.PAGE, "Training loss of " + curve.phase(), List.of(new LineChart.Series(curve.phase(), colour(curve.phase()), points)), List.of());
        double last = curve.points().get(curve.points().size() - 1).loss();
        return "<figure>" + chart.svg("step", "nats per token") + "<figcaption>" + Markup.escape(curve.phase()) + ", last " + Markup.number(last, 3)
                + "</figcaption></figure>";
    }

    private String swatch(String name) {
        String colour = colour(name);
        return colour.equals("var(--accent)") ? "" : "<i class=\"row\" style=\"background:" + colour + "\"></i>";
    }

    private String tableHtml() {
        StringBuilder html = new StringBuilder("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Results\"><table><caption><span>" + Markup.escape(table.unit())
                + "; lower is better, a star marks the best of a column</span></caption><thead><tr><th scope=\"col\">model</th>");
        table.columns().forEach(column -> html.append("<th scope=\"col\">").append(Markup.escape(column)).append("</th>"));
        html.append("</tr></thead><tbody>");
        for (Row row : table.rows()) {
            html.append("<tr><th scope=\"row\">").append(swatch(row.name())).append(Markup.escape(row.name())).append("<small>").append(Markup.escape(row.detail())).append("</small></th>");
            for (int c = 0; c < row.values().length; c++) {
                html.append(row.values()[c] == table.best(c) ? "<td class=\"best\">" : "<td>").append(Markup.number(row.values()[c], 3)).append("</td>");
            }
            html.append("</tr>");
        }
        return html.append("</tbody></table></div>").toString();
    }
}
