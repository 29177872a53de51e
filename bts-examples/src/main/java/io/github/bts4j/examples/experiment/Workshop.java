package io.github.bts4j.examples.experiment;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.eval.EvaluationResults;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** An experiment with its texts open, in the process that plans it or in one that does a piece of it. */
final class Workshop implements AutoCloseable {
    private final ExperimentSpec spec;
    private final LlamaTokenizer tokenizer;
    private final Texts texts;
    private final BaseModels base;
    private final Scoring scoring;
    private final Scores scores;
    private final Methods methods;
    private final List<Methods.Made> rows;
    private final List<String> names;

    private Workshop(ExperimentSpec spec, boolean replaces, LlamaTokenizer tokenizer) throws IOException {
        this.spec = spec;
        this.tokenizer = tokenizer;
        texts = Texts.read(spec, tokenizer);
        base = new BaseModels(spec, texts, tokenizer.vocabSize(), replaces);
        scoring = new Scoring(spec, texts, tokenizer);
        scores = new Scores(spec, scoring, base, replaces);
        methods = new Methods(spec, texts, base, replaces);
        rows = methods.rows();
        names = new ArrayList<>(base.names());
        names.addAll(base.others());
    }

    static Workshop open(ExperimentSpec spec, boolean replaces) throws IOException {
        if (spec.model() instanceof ExperimentSpec.Published published) {
            PublishedModel.write(published.published(), spec.output().resolve(BaseModels.MODELS).resolve(BaseModels.PUBLISHED), replaces);
        }
        LlamaTokenizer tokenizer = LlamaTokenizer.open(spec.tokenizer());
        try {
            return new Workshop(spec, replaces, tokenizer);
        } catch (IOException | RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    /** All pieces of work: the seed, and what begins when it is there. */
    List<List<Turns.Piece>> pieces() {
        List<Turns.Piece> others = base.pieces();
        for (String name : names) {
            others.add(new Turns.Piece("score-" + Methods.slug(name), () -> base.areThere(List.of(name)), () -> scores.scoreBase(name)));
        }
        for (Methods.Made row : rows) {
            others.add(new Turns.Piece(row.folder().getFileName().toString(), () -> methods.isReady(row),
                    () -> methods.make(row) && scores.score(row, row.isFirst() && spec.evaluation().tasksFor().contains(row.name()))));
        }
        return List.of(List.of(base.seed()), others);
    }

    /** How long what is left takes. */
    Plan plan() throws IOException {
        return new Planner(spec, texts, base, scoring, rows).plan();
    }

    /** Writes the table and the report of what was scored. */
    void writeResults() throws IOException {
        List<String> titles = new ArrayList<>(names);
        rows.forEach(row -> titles.add(row.title()));
        EvaluationResults results = scores.read(titles);
        new ResultsPage(spec, base, rows, results).write(spec.output().resolve("results.md"));
        new ResultsReport(spec, base, rows, results).write(spec.output().resolve("report.html"), scoring.windows(), tokenizer);
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
