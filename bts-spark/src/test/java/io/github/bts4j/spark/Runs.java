package io.github.bts4j.spark;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.Trainer;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/** Small runs whose every bit is a line. */
final class Runs {
    static final int VOCAB = 160;
    static final int LENGTH = 16;

    private Runs() {}

    static Path golden(String name) {
        return Path.of(System.getProperty("bts4j.testData"), "golden").resolve(name);
    }

    static StitchedModel stitched(double dropout) throws IOException {
        Path root = golden("bts-3x4");
        return StitchedModel.builder().config(StitchConfig.evenly(4, 2).withDropout(dropout)).hub(root.resolve("hub")).expert("code", root.resolve("code")).expert("math", root.resolve("math")).open();
    }

    /** A random model of the bundled tokenizer's vocabulary, lively enough that its texts differ. */
    static Path textModel(Path folder, long seed) throws IOException {
        LlamaConfig config = LlamaConfig.builder().vocabSize(2048).hiddenSize(48).intermediateSize(96).numLayers(4).numHeads(4).numKvHeads(2).maxPositionEmbeddings(128).build();
        try (ExpertTraining random = ExpertTraining.fromScratch(config, 0.4, seed, Device.cpu())) {
            random.save(folder, Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"));
        }
        return folder;
    }

    static TokenDataset domain(String name, int factor, int add) {
        SplittableRandom random = new SplittableRandom(factor);
        int[] tokens = new int[4000];
        for (int t = 1; t < tokens.length; t++) {
            tokens[t] = random.nextInt(10) == 0 ? random.nextInt(VOCAB) : (factor * tokens[t - 1] + add) % VOCAB;
        }
        return TokenDataset.builder(name).add(tokens, tokens.length).build();
    }

    static Datamix data() {
        return Datamix.of(List.of(domain("code", 3, 7), domain("math", 7, 5)), Map.of("code", 3.0, "math", 1.0)).withBlockSize(16);
    }

    static TrainerConfig config(long steps, int passes, int lanes) {
        return TrainerConfig.of(steps, 2, LENGTH, new LearningRate.WarmupLinear(0.005, 2, steps, 0)).withSeed(9).withAccumulation(passes).withLanes(lanes);
    }

    /** Losses and norms of every step, and a hash of every tensor at the end. */
    static List<String> train(Trainable training, TrainerConfig config) throws IOException {
        return train(training, config, trainer -> { }, step -> { });
    }

    static List<String> train(Trainable training, TrainerConfig config, Consumer<Trainer> more, Consumer<Long> afterStep) throws IOException {
        List<String> lines = new ArrayList<>();
        MetricsListener listener = new MetricsListener() {
            @Override
            public void onStep(io.github.bts4j.train.metrics.StepMetrics metrics) {
                lines.add(metrics.step() + " " + Double.toHexString(metrics.loss()) + " " + Double.toHexString(metrics.gradNorm()) + " " + metrics.lossByDomain());
                afterStep.accept(metrics.step());
            }

            @Override
            public void onEvaluation(io.github.bts4j.train.metrics.EvaluationMetrics metrics) {
                lines.add("validation " + metrics);
            }
        };
        try (Trainer trainer = new Trainer(training, data(), config, listener)) {
            more.accept(trainer);
            trainer.run();
        }
        for (Map.Entry<String, NDArray> tensor : training.parameters().entrySet()) {
            lines.add(tensor.getKey() + " " + Tensors.sha256(tensor.getValue()));
        }
        return lines;
    }
}
