package io.github.bts4j.examples.quickstart;

import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.examples.report.GateText;
import io.github.bts4j.examples.report.Gates;
import io.github.bts4j.examples.report.Report;
import io.github.bts4j.examples.report.ResultTable;
import io.github.bts4j.examples.report.Sample;
import io.github.bts4j.train.data.Window;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Branch-Train-Stitch from nothing, in minutes on a CPU: a seed, three experts, stitch layers, a table of held-out bits per
 * byte, generated text and an HTML report.
 */
public final class QuickStart {
    private static final List<String> PROMPTS = List.of("It was a truth that the family", "public static boolean isEmpty(",
            "|- ( ( A e. B /\\ ", "Y dijo Dios");
    private static final int NEW_TOKENS = 60;

    private final Path folder;
    private final Recipe recipe;
    private final PrintStream out;
    private final long started = System.nanoTime();

    QuickStart(Path folder, Recipe recipe, PrintStream out) {
        this.folder = folder;
        this.recipe = recipe;
        this.out = out;
    }

    /**
     * Runs the quick start.
     *
     * @param arguments the output folder (default {@code quickstart-out}) and the random seed (default 0)
     * @throws IOException if a file cannot be read or written
     */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length > 2 || arguments.length == 2 && !arguments[1].matches("\\d{1,18}")) {
            System.err.println("usage: QuickStart [OUTPUT_FOLDER [SEED]]   (SEED: a non-negative whole number)");
            System.exit(2);
        }
        Path folder = Path.of(arguments.length > 0 ? arguments[0] : "quickstart-out");
        long seed = arguments.length > 1 ? Long.parseLong(arguments[1]) : 0;
        run(folder, seed, System.out);
    }

    /**
     * Runs the quick start.
     *
     * @param folder the output folder
     * @param seed the random seed
     * @param out receives progress messages
     * @return the table that it ends with
     * @throws IOException if a file cannot be read or written
     */
    public static ResultTable run(Path folder, long seed, PrintStream out) throws IOException {
        return new QuickStart(folder, Recipe.standard(seed), out).run();
    }

    ResultTable run() throws IOException {
        Path tokenizerFolder = folder.resolve("tokenizer");
        Corpus.unpackTokenizer(tokenizerFolder);
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(tokenizerFolder)) {
            Corpus corpus = Corpus.load(folder.resolve("corpus"), tokenizer);
            long parameters = LlamaTensors.parameterCount(Recipe.model(tokenizer.vocabSize()));
            out.printf("bts4j quick start: %,d training tokens in four domains; a seed of %,d parameters; seed %d; output in %s%n",
                    corpus.trainingTokens(), parameters, recipe.seed(), folder);
            Phases phases = train(tokenizerFolder, corpus, tokenizer.vocabSize());
            step("5/5 Compare on held-out text");
            Comparison.Outcome outcome = Comparison.run(phases, corpus.windows(recipe.maxWindows()), tokenizer);
            out.printf("%n%s%n", Comparison.text(outcome.table()));
            out.println("* best of its column; lower is better. switching: windows joined from segments of different domains");
            out.println(outcome.verdict().sentence());
            finish(phases, corpus, outcome);
            return outcome.table();
        }
    }

    private Phases train(Path tokenizerFolder, Corpus corpus, int vocabSize) throws IOException {
        Phases phases = new Phases(recipe, folder, tokenizerFolder, corpus, vocabSize);
        step("1/5 Pretrain the seed");
        phases.trainSeed();
        step("2/5 Branch: every expert starts as a copy of the seed");
        step("3/5 Train the experts");
        for (String name : Recipe.EXPERTS) {
            phases.trainExpert(name);
        }
        step("4/5 Stitch: freeze all four models, train the stitch layers");
        phases.stitch();
        return phases;
    }

    private void finish(Phases phases, Corpus corpus, Comparison.Outcome outcome) throws IOException {
        try (TextModel model = TextModel.open(phases.stitchFolder())) {
            List<Sample> samples = samples(model);
            for (Sample sample : samples) {
                out.printf("%n> %s|%s%n", sample.prompt(), sample.continuation());
            }
            Path html = folder.resolve("report.html");
            report(phases, corpus, outcome, model, samples).write(html);
            out.printf("%nDone in %s. Report: %s%n", elapsed(), html.toAbsolutePath().toUri());
        }
    }

    private List<Sample> samples(TextModel model) {
        GenerationConfig config = GenerationConfig.greedy(NEW_TOKENS).withTemperature(0.7).withTopK(40).withSeed(recipe.seed());
        List<Sample> samples = new ArrayList<>();
        for (String prompt : PROMPTS) {
            samples.add(new Sample(prompt, model.generate(prompt, config).text(), "temperature 0.7, top-k 40"));
        }
        return samples;
    }

    private Report report(Phases phases, Corpus corpus, Comparison.Outcome outcome, TextModel model, List<Sample> samples) {
        List<GateText> gates = new ArrayList<>();
        corpus.windows(recipe.maxWindows()).forEach((name, windows) -> {
            Window window = windows.get(windows.size() / 2);
            gates.add(0, Gates.along("Held-out text: " + Corpus.title(name), model, window).named(Corpus::title)); // switching text first
        });
        List<String> notes = List.of("All models saw the same training text and are scored on the same held-out documents.",
                "Gate weights are those of the last stitch layer, averaged over its channels.",
                "Run with random seed " + recipe.seed() + " in " + elapsed() + ".");
        return new Report("bts4j quick start", "Three experts stitched into their seed (Branch-Train-Stitch, arXiv 2502.00075)",
                outcome.verdict(), phases.curves(), phases.distributions(), outcome.table(), gates, samples, notes);
    }

    private void step(String name) {
        out.printf("%n[%s] %s%n", elapsed(), name);
        out.flush();
    }

    private String elapsed() {
        long seconds = (System.nanoTime() - started) / 1_000_000_000L;
        return String.format("%d:%02d min", seconds / 60, seconds % 60);
    }
}
