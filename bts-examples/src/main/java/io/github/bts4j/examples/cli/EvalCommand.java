package io.github.bts4j.examples.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.FrozenLm;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.eval.BitsPerByte;
import io.github.bts4j.train.eval.TokenBytes;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "eval", description = "Bits per byte of a model on texts by domain.")
final class EvalCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL", description = "A checkpoint folder, a GGUF file, or a stitch checkpoint's folder.")
    private Path model;

    @Option(names = "--sequence", defaultValue = "256", description = "Tokens that the model sees at once (default: ${DEFAULT-VALUE}).")
    private int sequence;

    @Option(names = "--batch", defaultValue = "4", description = "Windows per pass (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Mixin
    private DataOptions data;

    @Mixin
    private Models models;

    @Spec
    private picocli.CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        try (FrozenLm lm = models.open(model); LlamaTokenizer tokenizer = LlamaTokenizer.open(Models.files(model, lm))) {
            BitsPerByte score = new BitsPerByte(TokenBytes.of(tokenizer), batch);
            ObjectNode result = new ObjectMapper().createObjectNode();
            double sum = 0;
            List<TokenDataset> datasets = data.read(tokenizer);
            for (TokenDataset dataset : datasets) {
                List<Window> windows = dataset.windows(sequence);
                double bits = score.of(lm, windows);
                sum += bits;
                result.put(dataset.name(), bits);
                if (!json) {
                    out.printf(java.util.Locale.ROOT, "%-20s %8.4f bits per byte   %,d bytes%n", dataset.name(), bits, dataset.bytes());
                    out.flush();
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
}
