package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.train.cluster.Cluster;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.eval.WindowScores;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "eval", description = "Measure a model's bits per byte on each domain's text. Documents are packed into windows unless --by-document is given.",
        footer = {"", "Examples:", "  bts eval stitched --data code=held-out-code.jsonl --against seed", "  bts eval model.gguf --data code=held-out-code.jsonl --by-document --json"})
final class EvalCommand extends OutputCommand {
    private static final double LEVEL = 0.95;
    private static final int RESAMPLES = 2000;

    @Parameters(paramLabel = "MODEL", description = "A checkpoint folder, a GGUF file, or a stitch checkpoint's folder.")
    private Path model;

    @Mixin
    private WindowOptions windows;

    @Option(names = "--against", paramLabel = "MODEL", description = "Another model with the same tokenizer: also print the difference from it, with a 95 %% interval and p-value.")
    private Path against;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Mixin
    private DataOptions data;

    @Mixin
    private Models models;

    @Mixin
    private ClusterOption cluster;

    @Override
    public Integer call() throws IOException {
        try (TextModel text = models.open(model); TextModel other = against == null ? null : models.open(against); Cluster there = cluster.open().orElse(null)) {
            if (other != null) {
                Models.requireOneTokenizer("compared", text.tokenizer(), other.tokenizer());
                windows.checkContext(other.model());
            }
            WindowOptions.Scorer scorer = windows.scorer(text.model(), text.tokenizer(), data);
            ObjectNode result = Outcome.object().put("scored", scorer.how());
            ObjectNode domains = result.putObject("domains");
            double sum = 0;
            List<TokenDataset> datasets = data.read(text.tokenizer());
            for (TokenDataset dataset : datasets) {
                WindowScores scores = finite(dataset.name(), model, text, scorer.score(on(there, text.model(), model), dataset));
                sum += scores.bitsPerByte();
                ObjectNode domain = domains.putObject(dataset.name());
                tell(dataset, scores, domain);
                if (other != null) {
                    compare(dataset.name(), scores, finite(dataset.name(), against, other, scorer.score(on(there, other.model(), against), dataset)), domain);
                }
            }
            result.put("average", sum / datasets.size());
            if (json) {
                output().println(result);
            } else {
                output().printf(Locale.ROOT, "%-20s %8.4f   (%s)%n", "average", sum / datasets.size(), scorer.how());
            }
            return 0;
        }
    }

    private CausalLm on(Cluster there, CausalLm here, Path path) {
        return there == null ? here : there.scoring(here, path, models.options());
    }

    /** Refuses scores that are not finite, and names the weight that caused it. */
    private static WindowScores finite(String domain, Path path, TextModel text, WindowScores scores) {
        if (!Double.isFinite(scores.bitsPerByte())) {
            text.model().requireFiniteWeights();
            throw new UnsupportedException("The bits per byte of '" + path.getFileName() + "' on '" + domain + "' are " + scores.bitsPerByte()
                    + ", though its weights are finite: values overflow in the type that the model computes in; try --dtype float32");
        }
        return scores;
    }

    private void tell(TokenDataset dataset, WindowScores scores, ObjectNode domain) {
        long bytes = java.util.Arrays.stream(scores.bytes()).sum();
        domain.put("bits_per_byte", scores.bitsPerByte()).put("token_perplexity", scores.perplexity()).put("bytes", bytes).put("items", scores.nats().length);
        String interval = "one item: no interval";
        if (scores.nats().length > 1) {
            WindowScores.Interval found = scores.interval(LEVEL, RESAMPLES, 0);
            domain.put("low", found.low()).put("high", found.high());
            interval = String.format(Locale.ROOT, "95 %% %.4f - %.4f", found.low(), found.high());
        }
        if (!json) {
            output().printf(Locale.ROOT, "%-20s %8.4f bits per byte (%s)   perplexity %.2f   %,d bytes%n", dataset.name(), scores.bitsPerByte(), interval, scores.perplexity(), bytes);
            output().flush();
        }
    }

    private void compare(String domain, WindowScores scores, WindowScores others, ObjectNode more) {
        double value = scores.bitsPerByte() - others.bitsPerByte();
        more.put("difference", value);
        PrintWriter out = output();
        if (scores.nats().length < 2) {
            if (!json) {
                out.printf(Locale.ROOT, "%-20s %+8.4f against %s (one item: no interval)%n", domain, value, against.getFileName());
            }
            return;
        }
        WindowScores.Difference difference = scores.minus(others, LEVEL, RESAMPLES, 0);
        WindowScores.Interval interval = difference.interval();
        more.put("difference_low", interval.low()).put("difference_high", interval.high()).put("p_value", difference.pValue());
        if (!json) {
            String p = difference.pValue() * RESAMPLES < 2 ? String.format(Locale.ROOT, "p < %.4f", 2.0 / RESAMPLES) : String.format(Locale.ROOT, "p = %.4f", difference.pValue());
            out.printf(Locale.ROOT, "%-20s %+8.4f against %s (95 %% %+.4f - %+.4f), %s%n", domain, value, against.getFileName(), interval.low(), interval.high(), p);
        }
    }
}
