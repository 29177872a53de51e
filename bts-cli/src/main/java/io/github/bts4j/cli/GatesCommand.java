package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.GateSummary;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.Window;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "gates", description = "Show the gate weights of a stitched model: the mean share of each model by domain and Experts-into-Hub stitch, and the entropy in bits.",
        footer = {"", "Example:", "  bts gates stitched --data code=held-out-code.jsonl --data text=held-out-general.jsonl"})
final class GatesCommand extends OutputCommand {
    private static final int USUAL_SEQUENCE = 128;

    @Parameters(paramLabel = "STITCH", description = "A stitch checkpoint's folder.")
    private Path stitch;

    @Option(names = "--sequence", paramLabel = "N", description = "Tokens per window (default: 128, or the model's context if that is shorter).")
    @Within(least = 1, most = 1_048_576)
    private Integer sequence;

    @Option(names = "--windows", paramLabel = "N", defaultValue = "20", description = "Windows per domain (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = Within.COUNT)
    private int windows;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Mixin
    private DataOptions data;

    @Mixin
    private FrozenOptions models;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = output();
        try (StitchedModel model = StitchCheckpoint.open(stitch, models.options());
                LlamaTokenizer tokenizer = LlamaTokenizer.open(model.members().get(0).folder())) {
            int length = sequence == null ? Math.min(USUAL_SEQUENCE, model.contextLength()) : sequence;
            WindowOptions.check("--sequence", length, model.contextLength());
            List<String> names = model.members().stream().map(Member::name).toList();
            ArrayNode all = JsonNodeFactory.instance.arrayNode();
            if (!json) {
                out.printf(Locale.ROOT, "%-16s %6s", "domain", "stitch");
                names.forEach(name -> out.printf(Locale.ROOT, " %10s", name));
                out.printf(Locale.ROOT, " %9s%n", "entropy");
            }
            for (TokenDataset dataset : data.read(tokenizer)) {
                List<int[]> some = dataset.windows(length).stream().limit(windows).map(Window::unpadded).toList();
                for (GateSummary summary : GateSummary.of(model, some)) {
                    ObjectNode row = all.addObject().put("domain", dataset.name()).put("stitch", summary.stitch() + 1);
                    ObjectNode means = row.putObject("mean_gate");
                    for (int i = 0; i < names.size(); i++) {
                        means.put(names.get(i), summary.shares().get(i));
                    }
                    row.put("entropy_bits", summary.entropy());
                    if (!json) {
                        out.printf(Locale.ROOT, "%-16s %6d", dataset.name(), summary.stitch() + 1);
                        summary.shares().forEach(share -> out.printf(Locale.ROOT, " %10.3f", share));
                        out.printf(Locale.ROOT, " %9.3f%n", summary.entropy());
                    }
                }
            }
            if (json) {
                out.println(all);
            }
            return 0;
        }
    }
}
