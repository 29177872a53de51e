package io.github.bts4j.examples.quickstart;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.examples.report.DomainAverage;
import io.github.bts4j.examples.report.ResultTable;
import io.github.bts4j.examples.report.Row;
import io.github.bts4j.examples.report.Verdict;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.baseline.BtmEnsemble;
import io.github.bts4j.stitch.baseline.ModelSoup;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.eval.BitsPerByte;
import io.github.bts4j.train.eval.EvaluationResult;
import io.github.bts4j.train.eval.TokenBytes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** Scores seed, experts, model soup, BTM and the stitched model on the same held-out windows. */
final class Comparison {
    private static final int BATCH = 8;
    private static final List<String> COLUMNS = Stream.concat(Corpus.DOMAINS.stream().map(Corpus::title), Stream.of("average", Corpus.SWITCHING, "all five")).toList();

    private final BitsPerByte bitsPerByte;
    private final Map<String, List<Window>> windows;
    private final List<Row> rows = new ArrayList<>();
    private final List<EvaluationResult> averages = new ArrayList<>();

    private Comparison(BitsPerByte bitsPerByte, Map<String, List<Window>> windows) {
        this.bitsPerByte = bitsPerByte;
        this.windows = windows;
    }

    /** The table, and who won. */
    record Outcome(ResultTable table, Verdict verdict) {}

    static Outcome run(Phases phases, Map<String, List<Window>> windows, LlamaTokenizer tokenizer) throws IOException {
        Comparison comparison = new Comparison(new BitsPerByte(TokenBytes.of(tokenizer), BATCH), windows);
        List<LlamaModel> models = new ArrayList<>();
        try {
            models.add(LlamaModel.open(phases.seedFolder()));
            for (String name : Recipe.EXPERTS) {
                models.add(LlamaModel.open(phases.expertFolder(name)));
            }
            comparison.scoreAll(models, phases);
        } finally {
            models.forEach(LlamaModel::close);
        }
        return new Outcome(new ResultTable("Held-out text", "bits per byte", COLUMNS, comparison.rows),
                Verdict.of(comparison.averages, "on average over the five held-out texts", "seed"));
    }

    private void scoreAll(List<LlamaModel> models, Phases phases) throws IOException {
        score("seed", models.get(0), "pretrained on the general mix");
        for (int i = 0; i < Recipe.EXPERTS.size(); i++) {
            score("expert " + Corpus.title(Recipe.EXPERTS.get(i)), models.get(i + 1), "branched from the seed");
        }
        try (LlamaModel soup = ModelSoup.average(models)) {
            score("model soup", soup, "average of the four models' weights");
        }
        try (BtmEnsemble btm = new BtmEnsemble(models)) {
            score("BTM", btm, "Bayes-weighted average of the four models' probabilities");
        }
        try (StitchedModel stitched = StitchCheckpoint.open(phases.stitchFolder(), LoadOptions.defaults())) {
            long trained = stitched.config().parameterCount(stitched.numExperts(), stitched.hiddenSize());
            score("BTS", stitched, String.format(Locale.ROOT, "the four models, frozen, and %,d stitch parameters", trained));
        }
    }

    private void score(String name, CausalLm model, String detail) {
        List<EvaluationResult> sets = windows.entrySet().stream().map(set -> EvaluationResult.of(name, set.getKey(), set.getValue(), bitsPerByte.score(model, set.getValue()))).toList();
        double[] scores = sets.stream().mapToDouble(set -> set.interval().value()).toArray();
        int domains = Corpus.DOMAINS.size();
        double[] values = new double[COLUMNS.size()];
        System.arraycopy(scores, 0, values, 0, domains);
        values[domains] = Arrays.stream(scores, 0, domains).average().orElseThrow();
        values[domains + 1] = scores[domains];
        averages.add(DomainAverage.of(name, "all five", sets));
        values[domains + 2] = Arrays.stream(scores).average().orElseThrow();
        rows.add(new Row(name, values, detail));
    }

    /** The table as text; the best value of every column is marked with a star. */
    static String text(ResultTable table) {
        StringBuilder text = new StringBuilder(String.format("%-14s", table.unit()));
        table.columns().forEach(column -> text.append(String.format("%11s", column)));
        for (Row row : table.rows()) {
            text.append(String.format("%n%-14s", row.name()));
            for (int c = 0; c < row.values().length; c++) {
                int column = c;
                double best = table.rows().stream().mapToDouble(r -> r.values()[column]).min().orElseThrow();
                text.append(String.format(Locale.ROOT, "%10.3f%s", row.values()[c], row.values()[c] == best ? "*" : " "));
            }
        }
        return text.toString();
    }
}
