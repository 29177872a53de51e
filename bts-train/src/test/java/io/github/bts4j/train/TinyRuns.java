package io.github.bts4j.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.StitchedModelBuilder;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.StepMetrics;
import io.github.bts4j.train.metrics.TensorMetrics;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Small, seeded models, texts and configurations for tests of training. */
public final class TinyRuns {
    /** Of losses of the stitched model below: of its three streams, and its stitches as one more. */
    static Tolerance tolerance() {
        try {
            return Tolerance.of(LlamaConfig.read(golden("bts-3x4").resolve("hub")), LENGTH + 3, Precision.FLOAT32).times(4);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static final int VOCAB = 160;
    public static final int LENGTH = 16;

    private static final LlamaConfig TEXT_MODEL = LlamaConfig.builder().vocabSize(2048).hiddenSize(48).intermediateSize(96).numLayers(4).numHeads(4).numKvHeads(2)
            .maxPositionEmbeddings(128).build();

    private TinyRuns() {}

    public static Path golden(String name) {
        return Path.of(System.getProperty("bts4j.testData"), "golden").resolve(name);
    }

    public static StitchedModel stitched(double dropout) throws IOException {
        return stitched(golden("bts-3x4"), dropout, "hub", "code", "math");
    }

    static StitchedModel stitched(Path root, double dropout, String... folders) throws IOException {
        StitchedModelBuilder builder = StitchedModel.builder().config(StitchConfig.evenly(4, 2).withDropout(dropout)).hub(root.resolve(folders[0]));
        for (int i = 1; i < folders.length; i++) {
            builder.expert(folders[i], root.resolve(folders[i]));
        }
        return builder.open();
    }

    /** Random models of the bundled tokenizer's vocabulary, lively enough that their texts differ. */
    public static void textModels(Path root, String... names) throws IOException {
        textModels(root, TEXT_MODEL, names);
    }

    static void textModels(Path root, LlamaConfig config, String... names) throws IOException {
        for (int i = 0; i < names.length; i++) {
            textModel(root.resolve(names[i]), config, i);
        }
    }

    /** One of them, with a random seed of its own. */
    public static Path textModel(Path folder, long seed) throws IOException {
        return textModel(folder, TEXT_MODEL, seed);
    }

    private static Path textModel(Path folder, LlamaConfig config, long seed) throws IOException {
        try (ExpertTraining random = ExpertTraining.fromScratch(config, 0.4, seed, Device.cpu())) {
            random.save(folder, Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"));
        }
        return folder;
    }

    /** Two domains of a learnable sequence each, mixed 3 : 1. */
    public static Datamix data() {
        return Datamix.of(List.of(domain("code", 3, 7), domain("math", 7, 5)), Map.of("code", 3.0, "math", 1.0)).withBlockSize(16);
    }

    /** Mostly token = factor * last + add; one in ten is drawn at random. */
    public static TokenDataset domain(String name, int factor, int add) {
        SplittableRandom random = new SplittableRandom(factor);
        int[] tokens = new int[4000];
        for (int t = 1; t < tokens.length; t++) {
            tokens[t] = random.nextInt(10) == 0 ? random.nextInt(VOCAB) : (factor * tokens[t - 1] + add) % VOCAB;
        }
        return TokenDataset.builder(name).add(tokens, tokens.length).build();
    }

    static TrainerConfig config(long steps) {
        return TrainerConfig.of(steps, 4, LENGTH, new LearningRate.WarmupLinear(0.005, 3, steps, 0)).withSeed(9);
    }

    /** SHA-256 of every tensor by name. */
    public static Map<String, String> hashes(Map<String, NDArray> tensors) {
        Map<String, String> hashes = new TreeMap<>();
        tensors.forEach((name, tensor) -> hashes.put(name, Tensors.sha256(tensor)));
        return hashes;
    }

    static Map<String, float[]> values(Map<String, NDArray> tensors) {
        Map<String, float[]> values = new TreeMap<>();
        tensors.forEach((name, tensor) -> values.put(name, Tensors.toFloats(tensor)));
        return values;
    }

    /** Keeps the metrics of every step. */
    @SuppressWarnings("JavaLangClash")
    static final class Record implements MetricsListener {
        final List<StepMetrics> steps = new ArrayList<>();
        final List<String> messages = new ArrayList<>();
        final List<TensorMetrics> tensors = new ArrayList<>();

        @Override
        public void onTensors(TensorMetrics metrics) {
            tensors.add(metrics);
        }

        @Override
        public void onStep(StepMetrics metrics) {
            steps.add(metrics);
        }

        @Override
        public void onMessage(String message) {
            messages.add(message);
        }

        List<Double> losses() {
            return steps.stream().map(StepMetrics::loss).toList();
        }
    }

    /** Changes one bit in a file's last bytes. */
    static void flipByte(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 5] ^= 1;
        Files.write(file, bytes);
    }

    static void copyFolder(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                if (Files.isDirectory(file)) {
                    copyFolder(file, to.resolve(file.getFileName()));
                } else {
                    Files.copy(file, to.resolve(file.getFileName()));
                }
            }
        }
    }
}
