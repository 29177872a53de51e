package io.github.bts4j.examples.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.FileFormatException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.train.eval.EvaluationResult;
import io.github.bts4j.train.eval.EvaluationResults;
import io.github.bts4j.train.eval.Metric;
import io.github.bts4j.train.eval.ResultsTable;
import io.github.bts4j.train.eval.ResultsTable.Column;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** The tables of an experiment in Markdown: methods by domain, the retained share of each expert's gain, tasks, random seeds, parameters. */
final class ResultsPage {
    private static final double ALPHA = 0.05;


    private final ExperimentSpec spec;
    private final BaseModels base;
    private final List<Methods.Made> rows;
    private final EvaluationResults results;
    private final StringBuilder page = new StringBuilder();

    ResultsPage(ExperimentSpec spec, BaseModels base, List<Methods.Made> rows, EvaluationResults results) {
        this.spec = spec;
        this.base = base;
        this.rows = rows;
        this.results = results;
    }

    void write(Path file) throws IOException {
        page.append("# Results\n\nBest in bold; † marks what does not differ from it (paired test on the items, p >= 0.05). Intervals: 95 %, bootstrap over windows and items.\n");
        Map<String, List<String>> tables = spec.tables().isEmpty() ? Map.of("All rows", firstRows()) : spec.tables();
        for (Map.Entry<String, List<String>> table : tables.entrySet()) {
            List<String> shown = table.getValue().stream().filter(results.models()::contains).toList();
            if (!shown.isEmpty()) {
                table(table.getKey(), shown);
            }
        }
        section("Position in the window: bits per byte of its " + Scoring.PARTS + " parts, averaged over the domains", positions(spec.evaluation().domains()));
        if (spec.evaluation().domains().size() > 1) {
            section("Position in the window: bits per byte of its " + Scoring.PARTS + " parts, text that changes its domain", positions(List.of(Texts.SWITCHING)));
        }
        section("Random seeds: average over the domains, bits per byte", randomSeeds());
        section("Gates of the first stitched row: mean weight of each model by domain and Experts-into-Hub stitch, and the entropy in bits", gates());
        section("Parameters", parameters());
        AtomicFiles.write(file, page.toString());
    }

    private void table(String title, List<String> shown) {
        ResultsTable text = new ResultsTable(results, shown, bitsPerByte(), ALPHA);
        section(title + ": held-out text, bits per byte", text.markdown() + "\nIntervals:\n\n" + text.markdownIntervals());
        List<Column> segments = segments();
        if (!segments.isEmpty()) {
            section(title + ": segments of text that changes its domain, bits per byte", new ResultsTable(results, shown, segments, ALPHA).markdown());
        }
        List<String> experts = spec.experts().keySet().stream().filter(spec.evaluation().domains()::contains).toList();
        section(title + ": what is kept of each expert's gain over the seed, per cent, where that gain is significant", new RetainedTable(results, experts).markdown(shown));
        List<String> scored = shown.stream().filter(row -> results.results().stream().anyMatch(result -> result.model().equals(row) && result.metric().isShare())).toList();
        if (!scored.isEmpty()) {
            ResultsTable tasks = new ResultsTable(results, scored, tasks(), ALPHA);
            section(title + ": tasks, per cent", tasks.markdown() + "\nIntervals:\n\n" + tasks.markdownIntervals());
        }
    }

    private void section(String title, String content) {
        page.append("\n## ").append(title).append("\n\n").append(content).append('\n');
    }

    /** Models, then the first random seed of every method. */
    private List<String> firstRows() {
        List<String> first = new ArrayList<>(base.names());
        first.addAll(base.others());
        rows.stream().filter(Methods.Made::isFirst).forEach(row -> first.add(row.title()));
        return first.stream().filter(results.models()::contains).toList();
    }

    private List<Column> bitsPerByte() {
        List<Column> columns = new ArrayList<>();
        List<Column> segments = segments();
        spec.evaluation().domains().forEach(domain -> columns.add(new Column(domain, Metric.BITS_PER_BYTE)));
        columns.add(new Column(Scoring.AVERAGE, Metric.BITS_PER_BYTE));
        results.results().stream().filter(result -> result.metric() == Metric.BITS_PER_BYTE).map(result -> new Column(result.task(), result.metric())).distinct()
                .filter(column -> !columns.contains(column) && !segments.contains(column)).toList().forEach(columns::add);
        return columns;
    }

    /** Text that switches between domains, by the domain of its segments. */
    private List<Column> segments() {
        List<Column> columns = spec.evaluation().domains().stream().map(domain -> new Column(Scoring.segmentsOf(domain), Metric.BITS_PER_BYTE)).toList();
        return columns.stream().filter(column -> results.results().stream().anyMatch(result -> result.task().equals(column.task()))).toList();
    }

    private List<Column> tasks() {
        return results.results().stream().filter(result -> result.metric().isShare() && !List.of(Metric.ACC_NORM, Metric.ACC_BYTES).contains(result.metric())).map(result -> new Column(result.task(), result.metric())).distinct().toList();
    }

    private double bits(String model, String domain) {
        return results.find(model, domain, Metric.BITS_PER_BYTE).map(result -> result.interval().value()).orElse(Double.NaN);
    }

    private String gates() throws IOException {
        StringBuilder text = new StringBuilder();
        for (Methods.Made row : rows) {
            Path file = spec.output().resolve("results").resolve(Methods.slug(row.title())).resolve("gates.json");
            if (text.isEmpty() && row.method() instanceof Method.Stitch stitch && Files.exists(file)) {
                List<String> head = new ArrayList<>(List.of("stitch"));
                head.addAll(stitch.models());
                head.add("entropy");
                text.append(line("domain", head)).append(line("---", head.stream().map(column -> "---:").toList()));
                for (JsonNode gate : JsonReader.STRICT.value(file, FileFormatException::of)) {
                    List<String> cells = new ArrayList<>(List.of(gate.get("stitch").asText()));
                    stitch.models().forEach(model -> cells.add(three(gate.get("shares").path(model).asDouble())));
                    cells.add(three(gate.get("entropy_bits").asDouble()));
                    text.append(line(gate.get("domain").asText(), cells));
                }
            }
        }
        return text.toString();
    }

    /** Rows by the part of a window, averaged over sets of windows; over domains also the best of seed and experts in each, an oracle that knows the domain. */
    private String positions(List<String> sets) throws IOException {
        List<String> parts = IntStream.rangeClosed(1, Scoring.PARTS).mapToObj(String::valueOf).toList();
        StringBuilder text = new StringBuilder(line("model", parts)).append(line("---", parts.stream().map(part -> "---:").toList()));
        double[] oracle = new double[Scoring.PARTS];
        for (String set : sets) {
            String best = base.names().stream().min(Comparator.comparingDouble(name -> bits(name, set))).orElseThrow();
            add(oracle, position(best, List.of(set)), sets.size());
        }
        if (sets.size() > 1) {
            text.append(line("the best of seed and experts in each", cells(oracle)));
        }
        for (String row : firstRows()) {
            text.append(line(row, cells(position(row, sets))));
        }
        return text.toString();
    }

    private double[] position(String row, List<String> sets) throws IOException {
        JsonNode positions = JsonReader.STRICT.object(spec.output().resolve("results").resolve(Methods.slug(row)).resolve("positions.json"), FileFormatException::of);
        double[] mean = new double[Scoring.PARTS];
        for (String set : sets) {
            JsonNode parts = positions.path(set);
            add(mean, IntStream.range(0, mean.length).mapToDouble(part -> parts.path(part).asDouble()).toArray(), sets.size());
        }
        return mean;
    }

    private static void add(double[] sum, double[] values, int divisor) {
        Arrays.setAll(sum, i -> sum[i] + values[i] / divisor);
    }

    private static List<String> cells(double[] values) {
        return Arrays.stream(values).mapToObj(ResultsPage::three).toList();
    }

    private static String three(double value) {
        return String.format(Locale.ROOT, "%.3f", value);
    }

    private String randomSeeds() {
        Map<String, List<Double>> values = new LinkedHashMap<>();
        for (Methods.Made row : rows) {
            Optional<EvaluationResult> found = results.find(row.title(), Scoring.AVERAGE, Metric.BITS_PER_BYTE);
            found.ifPresent(result -> values.computeIfAbsent(row.name(), name -> new ArrayList<>()).add(result.interval().value()));
        }
        StringBuilder text = new StringBuilder(line("method", List.of("seeds", "mean", "lowest", "highest"))).append(line("---", List.of("---:", "---:", "---:", "---:")));
        values.forEach((name, list) -> text.append(line(name, List.of(String.valueOf(list.size()), four(list.stream().mapToDouble(v -> v).average().orElseThrow()),
                four(list.stream().mapToDouble(v -> v).min().orElseThrow()), four(list.stream().mapToDouble(v -> v).max().orElseThrow())))));
        return text.toString();
    }

    private static String four(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }

    private String parameters() throws IOException {
        Method.ModelCounts counted = Method.ModelCounts.of(spec, base.config());
        long seed = LlamaTensors.parameterCount(counted.config());
        StringBuilder text = new StringBuilder(line("method", List.of("trained", "total", "active"))).append(line("---", List.of("---:", "---:", "---:")));
        text.append(line(BaseModels.SEED, List.of("0", number(seed), number(seed))));
        counted.adapters().forEach((name, own) -> text.append(line(name, List.of(number(own), number(seed + own), number(seed + own)))));
        spec.methods().forEach((name, method) -> method.parameters(counted)
                .ifPresent(counts -> text.append(line(name, List.of(number(counts.trained()), number(counts.total()), number(counts.active()))))));
        return text.toString();
    }

    private static String number(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    private static String line(String first, List<String> rest) {
        return "| " + first + " | " + String.join(" | ", rest) + " |\n";
    }
}
