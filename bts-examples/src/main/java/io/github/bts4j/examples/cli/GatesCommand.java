package io.github.bts4j.examples.cli;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.GateTrace;
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
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "gates", description = "How much of each model the gates of a stitched model let through: means by domain and Experts-into-Hub stitch, and the entropy in bits.")
final class GatesCommand extends OutputCommand {
    @Parameters(paramLabel = "STITCH", description = "A stitch checkpoint's folder.")
    private Path stitch;

    @Option(names = "--sequence", defaultValue = "128", description = "Tokens per window (default: ${DEFAULT-VALUE}).")
    private int sequence;

    @Option(names = "--windows", defaultValue = "20", description = "Windows per domain (default: ${DEFAULT-VALUE}).")
    private int windows;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Mixin
    private DataOptions data;

    @Mixin
    private Models models;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = output();
        try (StitchedModel model = StitchCheckpoint.open(stitch, models.options());
                LlamaTokenizer tokenizer = LlamaTokenizer.open(model.members().get(0).folder())) {
            List<String> names = model.members().stream().map(Member::name).toList();
            int[] intoHub = IntStream.range(0, model.config().numStitches()).filter(model.config()::intoHub).toArray();
            ArrayNode all = new ObjectMapper().createArrayNode();
            if (!json) {
                out.printf(Locale.ROOT, "%-16s %6s", "domain", "stitch");
                names.forEach(name -> out.printf(Locale.ROOT, " %10s", name));
                out.printf(Locale.ROOT, " %9s%n", "entropy");
            }
            for (TokenDataset dataset : data.read(tokenizer)) {
                List<Window> some = dataset.windows(sequence);
                Summary[] sums = summarise(model, some.subList(0, Math.min(windows, some.size())), intoHub);
                for (int k = 0; k < intoHub.length; k++) {
                    ObjectNode row = all.addObject().put("domain", dataset.name()).put("stitch", intoHub[k] + 1);
                    ObjectNode means = row.putObject("mean_gate");
                    for (int i = 0; i < names.size(); i++) {
                        means.put(names.get(i), sums[k].mean(i));
                    }
                    row.put("entropy_bits", sums[k].entropy());
                    if (!json) {
                        out.printf(Locale.ROOT, "%-16s %6d", dataset.name(), intoHub[k] + 1);
                        for (int i = 0; i < names.size(); i++) {
                            out.printf(Locale.ROOT, " %10.3f", sums[k].mean(i));
                        }
                        out.printf(Locale.ROOT, " %9.3f%n", sums[k].entropy());
                    }
                }
            }
            if (json) {
                out.println(all);
            }
            return 0;
        }
    }

    private static Summary[] summarise(StitchedModel model, List<Window> windows, int[] stitches) {
        Summary[] sums = IntStream.range(0, stitches.length).mapToObj(k -> new Summary(model.numExperts() + 1)).toArray(Summary[]::new);
        for (Window window : windows) {
            try (NDManager scope = model.getNDManager().newSubManager()) {
                NDArray ids = TokenBatch.tensor(scope, new int[][] {window.tokens()}, 0, window.tokens().length, model.vocabSize());
                List<GateTrace> traces = model.gates(ids, stitches);
                for (int k = 0; k < traces.size(); k++) {
                    for (float[] token : traces.get(k).meanOverChannels(0)) {
                        sums[k].add(token);
                    }
                }
            }
        }
        return sums;
    }

    /** Sums over tokens of what the gates let through, mean over channels. */
    private static final class Summary {
        private final double[] sums;
        private double entropy;
        private long tokens;

        Summary(int models) {
            sums = new double[models];
        }

        void add(float[] gates) {
            for (int i = 0; i < sums.length; i++) {
                sums[i] += gates[i];
                entropy -= gates[i] > 0 ? gates[i] * Math.log(gates[i]) / Math.log(2) : 0;
            }
            tokens++;
        }

        double mean(int model) {
            return sums[model] / tokens;
        }

        double entropy() {
            return entropy / tokens;
        }
    }
}
