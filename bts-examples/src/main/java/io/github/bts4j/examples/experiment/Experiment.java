package io.github.bts4j.examples.experiment;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.eval.EvaluationResults;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs what an experiment's file describes. Existing stages are skipped; an interrupted training is resumed. Several processes may run one
 * experiment at once, and share its stages.
 */
public final class Experiment {
    private final ExperimentSpec spec;
    private final boolean replaces;

    private Experiment(ExperimentSpec spec, boolean replaces) {
        this.spec = spec;
        this.replaces = replaces;
    }

    /**
     * Reads an experiment's description.
     *
     * @param file YAML or JSON
     * @return the experiment
     * @throws IOException if the file cannot be read
     * @throws IllegalArgumentException naming file, line and key of everything that is wrong
     */
    public static Experiment read(Path file) throws IOException {
        return new Experiment(ExperimentSpec.read(file), false);
    }

    /**
     * The same experiment, which repeats stages that were made from other settings or text instead of refusing to continue.
     *
     * @return a new experiment
     */
    public Experiment replacingOthers() {
        return new Experiment(spec, true);
    }

    /**
     * The output folder.
     *
     * @return the folder, which holds {@code results.md} and {@code report.html} at the end
     */
    public Path output() {
        return spec.output();
    }

    /**
     * Runs all remaining stages.
     *
     * @return false if the process was stopped before the end
     * @throws IOException if a file cannot be read or written
     * @throws io.github.bts4j.core.OutputException if a stage was made from other settings or text
     */
    public boolean run() throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(spec.tokenizer())) {
            Texts texts = Texts.read(spec, tokenizer);
            Turns turns = new Turns(spec.output().resolve("locks"));
            BaseModels base = new BaseModels(spec, texts, tokenizer.vocabSize(), replaces);
            if (!base.make(turns)) {
                return false;
            }
            Scoring scoring = new Scoring(spec, texts, tokenizer);
            Scores scores = new Scores(spec.output().resolve("results"), scoring, base, replaces);
            Methods methods = new Methods(spec, texts, base, replaces);
            List<Methods.Made> rows = methods.rows();
            List<Turns.Piece> pieces = new ArrayList<>();
            List<String> names = new ArrayList<>(base.names());
            names.addAll(base.others());
            for (String name : names) {
                pieces.add(new Turns.Piece("score-" + Methods.slug(name), () -> true, () -> scores.scoreBase(name)));
            }
            for (Methods.Made row : rows) {
                pieces.add(new Turns.Piece(row.folder().getFileName().toString(), () -> methods.isReady(row),
                        () -> methods.make(row) && scores.score(row, row.isFirst() && spec.evaluation().tasksFor().contains(row.name()))));
            }
            if (!turns.all(pieces)) {
                return false;
            }
            List<String> titles = new ArrayList<>(names);
            rows.forEach(row -> titles.add(row.title()));
            EvaluationResults results = scores.read(titles);
            new ResultsPage(spec, base, rows, results).write(spec.output().resolve("results.md"));
            new ResultsReport(spec, base, rows, results).write(spec.output().resolve("report.html"), scoring.windows(), tokenizer);
            return true;
        }
    }
}
