package io.github.bts4j.train.eval;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Models in rows, tasks in columns. The best value of a column is bold; a dagger marks values that do not differ significantly from it, by a paired test on
 * the items (McNemar's exact test for shares, otherwise the paired bootstrap, 5,000 resamples). The tests are not corrected for multiple
 * comparisons.
 *
 * <p>Shares are in per cent. A model without a result has a dash. Immutable.
 */
public final class ResultsTable {
    private static final String DAGGER = "\u2020";
    private static final String NONE = "\u2013";

    private final List<String> models;
    private final List<Column> columns;
    private final List<List<Optional<Cell>>> cells; // [column][row]

    /**
     * A column.
     *
     * @param task name of the task
     * @param metric the metric that is shown
     */
    public record Column(String task, Metric metric) {
        String title() {
            return task + " (" + metric.id() + (metric.isShare() ? ", %" : "") + (metric.higherIsBetter() ? " \u2191" : " \u2193") + ")";
        }
    }

    /** A value's relation to the best of its column. */
    private enum Standing {
        BEST,
        NOT_WORSE,
        WORSE
    }

    /** A value and its relation to the best; the p-value is that of the difference from the best. */
    private record Cell(EvaluationResult result, Standing standing, double pValue) {}

    /**
     * Compares every result with the best of its column.
     *
     * @param results the results
     * @param models rows, in order
     * @param columns columns, in order
     * @param alpha the p-value below which a difference is significant, between 0 and 1
     * @throws IllegalArgumentException if alpha is not between 0 and 1, or results in one column have different items
     */
    public ResultsTable(EvaluationResults results, List<String> models, List<Column> columns, double alpha) {
        if (!(alpha > 0 && alpha < 1)) {
            throw new IllegalArgumentException("alpha = " + alpha + " must be between 0 and 1");
        }
        this.models = List.copyOf(models);
        this.columns = List.copyOf(columns);
        this.cells = columns.stream().map(column -> column(results, models, column, alpha)).toList();
    }

    /**
     * All results, significant below 0.05.
     *
     * @param results the results
     * @return the table, with models and columns in order of first occurrence
     * @throws IllegalArgumentException if results in one column have different items
     */
    public static ResultsTable of(EvaluationResults results) {
        List<Column> columns = results.results().stream().map(result -> new Column(result.task(), result.metric())).distinct().toList();
        return new ResultsTable(results, results.models(), columns, 0.05);
    }

    /** {@return the table in Markdown: its lines, each with a line end} */
    public String markdown() {
        return markdown(ResultsTable::markdown);
    }

    /** {@return the intervals of the same cells in Markdown, each as lower and upper end: the lines, each with a line end} */
    public String markdownIntervals() {
        return markdown(cell -> {
            EvaluationResult result = cell.result();
            return result.metric().format(result.interval().low()) + " .. " + result.metric().format(result.interval().high());
        });
    }

    private String markdown(Function<Cell, String> shown) {
        StringBuilder text = new StringBuilder("| model |");
        columns.forEach(column -> text.append(' ').append(escapeMarkdown(column.title())).append(" |"));
        text.append("\n|---|").append("---:|".repeat(columns.size())).append('\n');
        for (int row = 0; row < models.size(); row++) {
            text.append("| ").append(escapeMarkdown(models.get(row))).append(" |");
            for (List<Optional<Cell>> column : cells) {
                text.append(' ').append(column.get(row).map(shown).orElse(NONE)).append(" |");
            }
            text.append('\n');
        }
        return text.toString();
    }

    private static String markdown(Cell cell) {
        String value = cell.result().metric().format(cell.result().interval().value());
        return switch (cell.standing()) {
            case BEST -> "**" + value + "**";
            case NOT_WORSE -> value + DAGGER;
            case WORSE -> value;
        };
    }

    /** {@return the table in HTML, a {@code table} element; intervals and p-values are in the cells' titles} */
    public String html() {
        StringBuilder text = new StringBuilder("<table>\n<thead><tr><th>model</th>");
        columns.forEach(column -> text.append("<th>").append(escapeHtml(column.title())).append("</th>"));
        text.append("</tr></thead>\n<tbody>\n");
        for (int row = 0; row < models.size(); row++) {
            text.append("<tr><th>").append(escapeHtml(models.get(row))).append("</th>");
            for (List<Optional<Cell>> column : cells) {
                text.append(column.get(row).map(ResultsTable::html).orElse("<td>" + NONE + "</td>"));
            }
            text.append("</tr>\n");
        }
        return text.append("</tbody>\n</table>\n").toString();
    }

    private static String html(Cell cell) {
        EvaluationResult result = cell.result();
        Metric metric = result.metric();
        String value = metric.format(result.interval().value());
        String shown = switch (cell.standing()) {
            case BEST -> "<strong>" + value + "</strong>";
            case NOT_WORSE -> value + "<sup>" + DAGGER + "</sup>";
            case WORSE -> value;
        };
        String title = String.format(java.util.Locale.ROOT, "%.0f %%: %s to %s, n = %d%s", 100 * result.level(), metric.format(result.interval().low()),
                metric.format(result.interval().high()), result.scores().count(),
                cell.standing() == Standing.BEST ? "" : String.format(java.util.Locale.ROOT, ", p = %.4f against the best", cell.pValue()));
        return "<td title=\"" + title + "\">" + shown + "</td>";
    }

    private static List<Optional<Cell>> column(EvaluationResults results, List<String> models, Column column, double alpha) {
        List<Optional<EvaluationResult>> found = models.stream().map(model -> results.find(model, column.task(), column.metric())).toList();
        Comparator<EvaluationResult> byValue = Comparator.comparingDouble(result -> result.interval().value());
        Optional<EvaluationResult> best = found.stream().flatMap(Optional::stream).min(column.metric().higherIsBetter() ? byValue.reversed() : byValue);
        List<Optional<Cell>> cells = new ArrayList<>();
        found.forEach(result -> cells.add(result.map(one -> cell(one, best.orElseThrow(), alpha))));
        return cells;
    }

    private static Cell cell(EvaluationResult result, EvaluationResult best, double alpha) {
        double pValue = result.against(best).pValue();
        if (result.interval().value() == best.interval().value()) {
            return new Cell(result, Standing.BEST, pValue);
        }
        return new Cell(result, pValue < alpha ? Standing.WORSE : Standing.NOT_WORSE, pValue);
    }

    private static String escapeMarkdown(String text) {
        return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;").replace("\n", " ");
    }

    private static String escapeHtml(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
