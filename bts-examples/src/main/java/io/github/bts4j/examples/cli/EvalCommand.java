package io.github.bts4j.examples.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.FrozenLm;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.eval.BitsPerByte;
import io.github.bts4j.train.eval.TokenBytes;
import io.github.bts4j.train.eval.WindowScores;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "eval", description = "Bits per byte of a model on texts by domain.",
        footer = {"", "Examples:", "  bts eval stitched --data code=held-out-code.jsonl --against seed", "  bts eval model.gguf --data code=held-out-code.jsonl --json"})
final class EvalCommand extends OutputCommand {
    private static final double LEVEL = 0.95;
    private static final int RESAMPLES = 2000;

    @Parameters(paramLabel = "MODEL", description = "A checkpoint folder, a GGUF file, or a stitch checkpoint's folder.")
    private Path model;

    @Option(names = "--sequence", defaultValue = "256", description = "Tokens that the model sees at once (default: ${DEFAULT-VALUE}).")
    private int sequence;

    @Option(names = "--batch", defaultValue = "4", description = "Windows per pass (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--against", paramLabel = "MODEL", description = "Another model with the same tokenizer: print the difference to it, with its 95 %% interval and p-value.")
    private Path against;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Mixin
    private DataOptions data;

    @Mixin
    private Models models;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = output();
        try (FrozenLm lm = models.open(model); FrozenLm other = against == null ? null : models.open(against);
                LlamaTokenizer tokenizer = LlamaTokenizer.open(Models.files(model, lm))) {
            BitsPerByte scorer = new BitsPerByte(TokenBytes.of(tokenizer), batch);
            ObjectNode result = new ObjectMapper().createObjectNode();
            double sum = 0;
            List<TokenDataset> datasets = data.read(tokenizer);
            for (TokenDataset dataset : datasets) {
                List<Window> windows = dataset.windows(sequence);
                WindowScores scores = scorer.score(lm, windows);
                sum += scores.bitsPerByte();
                result.put(dataset.name(), scores.bitsPerByte());
                WindowScores.Interval interval = scores.interval(LEVEL, RESAMPLES, 0);
                ObjectNode more = result.withObject("/details").putObject(dataset.name()).put("low", interval.low()).put("high", interval.high())
                        .put("token_perplexity", scores.perplexity()).put("bytes", dataset.bytes()).put("windows", windows.size());
                if (!json) {
                    out.printf(java.util.Locale.ROOT, "%-20s %8.4f bits per byte (95 %% %.4f - %.4f)   perplexity %.2f   %,d bytes%n", dataset.name(), interval.value(),
                            interval.low(), interval.high(), scores.perplexity(), dataset.bytes());
                    out.flush();
                }
                if (other != null) {
                    compare(dataset.name(), scores, scorer.score(other, windows), more, out);
                }
            }
            result.put("average", sum / datasets.size());
            if (json) {
                out.println(result);
            } else {
                out.printf(java.util.Locale.ROOT, "%-20s %8.4f%n", "average", sum / datasets.size());
            }
            return 0;
        }
    }

    private void compare(String domain, WindowScores scores, WindowScores others, ObjectNode more, PrintWriter out) {
        WindowScores.Difference difference = scores.minus(others, LEVEL, RESAMPLES, 0);
        WindowScores.Interval interval = difference.interval();
        more.put("difference", interval.value()).put("difference_low", interval.low()).put("difference_high", interval.high()).put("p_value", difference.pValue());
        if (!json) {
            out.printf(java.util.Locale.ROOT, "%-20s %+8.4f against %s (95 %% %+.4f - %+.4f), p = %.4f%n", domain, interval.value(), against.getFileName(), interval.low(),
                    interval.high(), difference.pValue());
        }
    }
}
