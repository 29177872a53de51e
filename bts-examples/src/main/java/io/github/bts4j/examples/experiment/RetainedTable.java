package io.github.bts4j.examples.experiment;

import io.github.bts4j.train.eval.EvaluationResult;
import io.github.bts4j.train.eval.EvaluationResults;
import io.github.bts4j.train.eval.Metric;
import io.github.bts4j.train.eval.RetainedGain;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The retained share of each expert's gain over the seed, with intervals: on held-out text of the expert's own domain, on that domain's
 * segments of switching text, and on questions made of its text. A dash means that a row was not scored, or that the expert itself gained
 * nothing.
 */
final class RetainedTable {
    private final EvaluationResults results;
    private final List<Column> columns = new ArrayList<>();

    private record Column(String expert, String task, Metric metric) {}

    RetainedTable(EvaluationResults results, List<String> experts) {
        this.results = results;
        experts.forEach(expert -> addIfGained(new Column(expert, expert, Metric.BITS_PER_BYTE)));
        experts.forEach(expert -> addIfGained(new Column(expert, Scoring.segmentsOf(expert), Metric.BITS_PER_BYTE)));
        experts.forEach(expert -> addIfGained(new Column(expert, Scoring.choicesOf(expert), Metric.ACC)));
    }

    private void addIfGained(Column column) {
        if (kept(column, column.expert()).isPresent()) {
            columns.add(column);
        }
    }

    private Optional<RetainedGain> kept(Column column, String model) {
        Optional<EvaluationResult> seed = results.find(BaseModels.SEED, column.task(), column.metric());
        Optional<EvaluationResult> expert = results.find(column.expert(), column.task(), column.metric());
        Optional<EvaluationResult> own = results.find(model, column.task(), column.metric());
        return seed.isPresent() && expert.isPresent() && own.isPresent() ? RetainedGain.of(seed.get(), expert.get(), own.get()) : Optional.empty();
    }

    String markdown(List<String> shown) {
        StringBuilder text = new StringBuilder("| model |");
        columns.forEach(column -> text.append(' ').append(column.task()).append(" |"));
        text.append("\n|---|").append("---:|".repeat(columns.size())).append('\n');
        for (String model : shown) {
            text.append("| ").append(model).append(" |");
            columns.forEach(column -> text.append(' ').append(kept(column, model).map(RetainedTable::cell).orElse("\u2013")).append(" |"));
            text.append('\n');
        }
        return text.toString();
    }

    private static String cell(RetainedGain gain) {
        return String.format(Locale.ROOT, "%.1f (%.1f .. %.1f)", 100 * gain.kept().value(), 100 * gain.kept().low(), 100 * gain.kept().high());
    }
}
