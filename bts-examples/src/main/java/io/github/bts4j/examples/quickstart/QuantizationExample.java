package io.github.bts4j.examples.quickstart;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.eval.BitsPerByte;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Loads the quick start's models in bfloat16 and with int8 weights, and compares their perplexity on the held-out text and their size.
 * Prints at the end by how much perplexity grew at most.
 */
public final class QuantizationExample {
    private static final int BATCH = 8;
    private static final LoadOptions BFLOAT16 = LoadOptions.defaults().withPrecision(Precision.BFLOAT16);

    private final PrintStream out;
    private final Map<String, List<Window>> windows;
    private double worst;

    private QuantizationExample(PrintStream out, Map<String, List<Window>> windows) {
        this.out = out;
        this.windows = windows;
    }

    /**
     * Compares.
     *
     * @param arguments the quick start's output folder
     * @throws IOException if a file cannot be read
     */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 1 || !Files.isDirectory(Path.of(arguments[0], "seed"))) {
            System.err.println("usage: QuantizationExample QUICKSTART_FOLDER   (run QuickStart first)");
            System.exit(2);
        }
        run(Path.of(arguments[0]), Integer.MAX_VALUE, System.out);
    }

    /** The largest growth of a perplexity on at most so many windows of each domain, as a ratio. */
    static double run(Path folder, int maxWindows, PrintStream out) throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(folder.resolve("tokenizer"))) {
            Corpus corpus = Corpus.load(folder.resolve("corpus"), tokenizer);
            QuantizationExample example = new QuantizationExample(out, corpus.windows(maxWindows));
            return example.compare(folder);
        }
    }

    private double compare(Path folder) throws IOException {
        out.printf("perplexity per token, bfloat16 / int8%n%-14s", "");
        windows.keySet().forEach(domain -> out.printf("%19s", domain));
        out.printf("%16s%n", "MiB of weights");
        List<String> names = new ArrayList<>(List.of("seed"));
        Recipe.EXPERTS.forEach(expert -> names.add("expert-" + expert));
        for (String name : names) {
            try (LlamaModel full = LlamaModel.open(folder.resolve(name), BFLOAT16);
                    LlamaModel quantised = LlamaModel.open(folder.resolve(name), BFLOAT16.withQuantization(Quantization.INT8))) {
                row(name, full, mebibytes(full), quantised, mebibytes(quantised));
            }
        }
        try (StitchedModel full = StitchCheckpoint.open(folder.resolve("stitch"), BFLOAT16);
                StitchedModel quantised = StitchCheckpoint.open(folder.resolve("stitch"), BFLOAT16.withQuantization(Quantization.INT8))) {
            row("BTS", full, mebibytes(full), quantised, mebibytes(quantised));
        }
        out.printf(Locale.ROOT, "%nPerplexity grew by at most %.2f %%.%n", 100 * (worst - 1));
        return worst;
    }

    private void row(String name, CausalLm full, double fullSize, CausalLm quantised, double quantisedSize) {
        out.printf("%-14s", name);
        Map<String, Double> before = perplexities(full);
        perplexities(quantised).forEach((domain, after) -> {
            worst = Math.max(worst, after / before.get(domain));
            out.printf(Locale.ROOT, "%10.3f %8.3f", before.get(domain), after);
        });
        out.printf(Locale.ROOT, "%8.2f %7.2f%n", fullSize, quantisedSize);
    }

    private Map<String, Double> perplexities(CausalLm model) {
        BitsPerByte everyToken = new BitsPerByte(token -> 1, BATCH);
        Map<String, Double> result = new LinkedHashMap<>();
        windows.forEach((domain, set) -> result.put(domain, everyToken.score(model, set).perplexity()));
        return result;
    }

    private static double mebibytes(LlamaModel model) {
        return model.weightBytes() / (double) (1 << 20);
    }

    private static double mebibytes(StitchedModel model) {
        return model.models().stream().mapToDouble(QuantizationExample::mebibytes).sum();
    }
}
