package io.github.bts4j.examples.quickstart;

import ai.djl.Device;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.examples.report.Curve;
import io.github.bts4j.examples.report.Distributions;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.StitchedModelBuilder;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.StitchTraining;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.Trainer;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.metrics.CsvMetrics;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.ProgressBar;
import io.github.bts4j.train.metrics.TensorBoardWriter;
import io.github.bts4j.train.optim.AdamStatistics;
import io.github.bts4j.train.stability.StabilityMonitor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The three phases of Branch-Train-Stitch on the bundled corpus; every phase leaves a checkpoint folder. */
final class Phases {
    private final Recipe recipe;
    private final Path folder;
    private final Path tokenizer;
    private final Corpus corpus;
    private final int vocabSize;
    private final List<Curve> curves = new ArrayList<>();
    private final List<Distributions> distributions = new ArrayList<>();

    Phases(Recipe recipe, Path folder, Path tokenizer, Corpus corpus, int vocabSize) {
        this.recipe = recipe;
        this.folder = folder;
        this.tokenizer = tokenizer;
        this.corpus = corpus;
        this.vocabSize = vocabSize;
    }

    Path seedFolder() {
        return folder.resolve("seed");
    }

    Path expertFolder(String name) {
        return folder.resolve("expert-" + name);
    }

    Path stitchFolder() {
        return folder.resolve("stitch");
    }

    List<Curve> curves() {
        return List.copyOf(curves);
    }

    List<Distributions> distributions() {
        return List.copyOf(distributions);
    }

    /** Pretrains the seed on general text and a little of every domain. */
    void trainSeed() throws IOException {
        Map<String, Double> weights = new LinkedHashMap<>();
        double rest = (1 - Recipe.SEED_GENERAL) / Recipe.EXPERTS.size();
        Corpus.DOMAINS.forEach(domain -> weights.put(domain, domain.equals(Recipe.GENERAL) ? Recipe.SEED_GENERAL : rest));
        try (ExpertTraining seed = ExpertTraining.fromScratch(Recipe.model(vocabSize), Recipe.DEVIATION, recipe.seed(), Device.cpu())) {
            train("seed", "seed", seed, corpus.mix(weights, Recipe.SWITCHING, recipe.seed()), recipe.seedTraining());
            seed.save(seedFolder(), tokenizer);
        }
    }

    /** Branches an expert from the seed and trains it on its domain. */
    void trainExpert(String name) throws IOException {
        Map<String, Double> weights = new LinkedHashMap<>();
        weights.put(Recipe.GENERAL, Recipe.EXPERT_GENERAL);
        weights.put(name, 1 - Recipe.EXPERT_GENERAL);
        try (LlamaModel seed = LlamaModel.open(seedFolder()); ExpertTraining expert = ExpertTraining.branch(seed)) {
            train("expert " + Corpus.title(name), "expert-" + name, expert, corpus.mix(weights, Recipe.SWITCHING, recipe.seed() + 1), recipe.expertTraining());
            expert.save(expertFolder(name), tokenizer);
        }
    }

    /** Freezes seed and experts, and trains the stitch layers between them. */
    void stitch() throws IOException {
        StitchedModelBuilder builder = StitchedModel.builder().hub("seed", seedFolder())
                .config(Recipe.stitches(Recipe.model(vocabSize).numLayers()));
        Recipe.EXPERTS.forEach(name -> builder.expert(Corpus.title(name), expertFolder(name)));
        Map<String, Double> weights = new LinkedHashMap<>();
        Corpus.DOMAINS.forEach(domain -> weights.put(domain, 1.0 / Corpus.DOMAINS.size()));
        try (StitchedModel model = builder.open()) {
            train("stitch", "stitch", new StitchTraining(model), corpus.mix(weights, Recipe.STITCH_SWITCHING, recipe.seed() + 2),
                    recipe.stitchTraining());
            StitchCheckpoint.save(model, stitchFolder());
        }
    }

    private static void removeFiles(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
    }

    private void train(String phase, String name, Trainable model, Datamix data, TrainerConfig config) throws IOException {
        Path metrics = folder.resolve("metrics").resolve(name);
        Files.createDirectories(metrics);
        removeFiles(metrics); // of an earlier quick start in this folder
        LossCurve curve = new LossCurve(phase);
        List<String> extras = new ArrayList<>();
        if (config.safeguards().measureEvery() > 0) {
            extras.addAll(StabilityMonitor.metricNames(model.parameters().keySet()));
            extras.add("adam/level");
        }
        try (MetricsListener listener = MetricsListener.all(ProgressBar.onStandardError(), curve, CsvMetrics.create(metrics.resolve("metrics.csv"), data.domains(), extras),
                        TensorBoardWriter.create(metrics));
                Trainer trainer = new Trainer(model, data, config, listener)) {
            trainer.run();
        }
        curves.add(curve.curve());
        if (!curve.updates().isEmpty()) {
            distributions.add(new Distributions(phase, curve.updates(), AdamStatistics.healthySpread(config.optimization().optimizer().beta1()), curve.diagnostics()));
        }
    }
}
