package io.github.bts4j.examples.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.examples.report.Curve;
import io.github.bts4j.examples.report.GateText;
import io.github.bts4j.examples.report.Gates;
import io.github.bts4j.examples.report.Point;
import io.github.bts4j.examples.report.Report;
import io.github.bts4j.examples.report.ResultTable;
import io.github.bts4j.examples.report.Row;
import io.github.bts4j.examples.report.Verdict;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.eval.EvaluationResult;
import io.github.bts4j.train.eval.EvaluationResults;
import io.github.bts4j.train.eval.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The plots of an experiment in one HTML file: losses, the table, and the gates of the first stitched row along held-out texts (the paper's figures 2 and 3). */
final class ResultsReport {
    /** Of a curve; each is the mean of the steps since the one before, which a batch of two sequences would hide in its noise. */
    private static final int MOST_POINTS = 100;

    private final ExperimentSpec spec;
    private final BaseModels base;
    private final List<Methods.Made> rows;
    private final EvaluationResults results;

    ResultsReport(ExperimentSpec spec, BaseModels base, List<Methods.Made> rows, EvaluationResults results) {
        this.spec = spec;
        this.base = base;
        this.rows = rows;
        this.results = results;
    }

    void write(Path file, Map<String, List<Window>> windows, LlamaTokenizer tokenizer) throws IOException {
        List<String> notes = List.of("Tables with intervals and tests: results.md. Gate weights are those of the last stitch layer, averaged over its channels.");
        new Report("Methods to join experts", "The comparison of arXiv 2502.00075, section 4, at a small scale", verdict(), curves(), List.of(), table(), gates(windows, tokenizer),
                List.of(), notes).write(file);
    }

    /** Of what can answer for every domain: rows are named as in the table. */
    private Verdict verdict() {
        List<EvaluationResult> averages = table().rows().stream().flatMap(row -> results.find(row.name(), Scoring.AVERAGE, Metric.BITS_PER_BYTE).stream()).toList();
        return Verdict.of(averages, "on average over the held-out texts", BaseModels.SEED);
    }

    private ResultTable table() {
        List<String> columns = new ArrayList<>(spec.evaluation().domains());
        columns.add(Scoring.AVERAGE);
        if (spec.evaluation().domains().size() > 1) {
            columns.add(Texts.SWITCHING);
        }
        Map<String, String> titles = new LinkedHashMap<>();
        base.names().forEach(name -> titles.put(name, name.equals(BaseModels.SEED) ? "trained on the general mix" : "expert"));
        base.others().forEach(name -> titles.put(name, name.equals(BaseModels.PUBLISHED) ? "as published" : spec.newerExperts().containsKey(name) ? "newer expert" : "adapter"));
        rows.stream().filter(Methods.Made::isFirst).forEach(row -> titles.put(row.title(), row.method() instanceof Method.Trained trained
                ? "training '" + trained.training() + "'" : "no training"));
        List<Row> table = new ArrayList<>();
        titles.forEach((title, detail) -> {
            double[] values = columns.stream().flatMap(column -> results.find(title, column, Metric.BITS_PER_BYTE).stream())
                    .mapToDouble(result -> result.interval().value()).toArray();
            if (values.length == columns.size()) {
                table.add(new Row(title, values, detail));
            }
        });
        return new ResultTable("Held-out text", "bits per byte", columns, table);
    }

    private List<Curve> curves() throws IOException {
        Map<String, Path> folders = new LinkedHashMap<>();
        base.names().forEach(name -> folders.put(name, base.folder(name)));
        base.others().forEach(name -> folders.put(name, base.folder(name)));
        rows.stream().filter(Methods.Made::isFirst).forEach(row -> folders.put(row.title(), row.folder()));
        List<Curve> curves = new ArrayList<>();
        for (Map.Entry<String, Path> folder : folders.entrySet()) {
            Path metrics = folder.getValue().resolve("metrics.jsonl");
            if (Files.exists(metrics)) {
                curves.add(new Curve(folder.getKey(), points(metrics)));
            }
        }
        return curves;
    }

    private static List<Point> points(Path metrics) throws IOException {
        List<JsonNode> steps = new ArrayList<>();
        for (String line : Files.readAllLines(metrics)) {
            JsonNode row = JsonReader.STRICT.line(line);
            if (row.path("kind").asText().equals("step")) {
                steps.add(row);
            }
        }
        int perPoint = Math.max(1, (steps.size() + MOST_POINTS - 1) / MOST_POINTS);
        List<Point> points = new ArrayList<>();
        for (int end = perPoint; end <= steps.size(); end += perPoint) {
            double mean = steps.subList(end - perPoint, end).stream().mapToDouble(row -> row.path("loss").asDouble()).average().orElseThrow();
            points.add(new Point(steps.get(end - 1).path("step").asLong(), mean));
        }
        return points;
    }

    private List<GateText> gates(Map<String, List<Window>> windows, LlamaTokenizer tokenizer) throws IOException {
        List<GateText> texts = new ArrayList<>();
        for (Methods.Made row : rows) {
            if (texts.isEmpty() && row.method() instanceof Method.Stitch && results.models().contains(row.title())) {
                try (Opened opened = row.method().open(base, row.folder())) {
                    TextModel text = TextModel.of(opened.model(), tokenizer); // which others close
                    windows.forEach((domain, set) -> texts.add(0,
                            Gates.along(row.title() + ", held-out text: " + domain, text, set.get(set.size() / 2))));
                }
            }
        }
        return texts;
    }
}
