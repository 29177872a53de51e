package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** Stitched models over the golden cases' base models, with seeded weights and tokens. */
final class TinyModels {
    private TinyModels() {}

    static Path golden(String name) {
        return Path.of(System.getProperty("bts4j.testData"), "golden").resolve(name);
    }

    /** A model over folders of a golden case, the first one being the hub; named like their folders. */
    static StitchedModel open(String golden, StitchConfig config, String... folders) throws IOException {
        return open(golden(golden), config, LoadOptions.defaults(), folders);
    }

    static StitchedModel open(Path root, StitchConfig config, LoadOptions options, String... folders) throws IOException {
        StitchedModelBuilder builder = StitchedModel.builder().config(config).options(options).hub(folders[0], root.resolve(folders[0]));
        for (int i = 1; i < folders.length; i++) {
            builder.expert(folders[i], root.resolve(folders[i]));
        }
        return builder.open();
    }

    /** Adds seeded normal noise to every stitch tensor. */
    static StitchedModel disturbed(StitchedModel model, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Map<String, float[]> values = values(model);
        values.values().forEach(array -> {
            for (int i = 0; i < array.length; i++) {
                array[i] += (float) (0.1 * random.nextGaussian());
            }
        });
        set(model, values);
        return model;
    }

    static Map<String, float[]> values(StitchedModel model) {
        Map<String, float[]> values = new LinkedHashMap<>();
        model.stitchTensors().forEach((name, tensor) -> values.put(name, Tensors.toFloats(tensor)));
        return values;
    }

    static void set(StitchedModel model, Map<String, float[]> values) {
        try (NDManager scope = model.getNDManager().newSubManager()) {
            Map<String, NDArray> tensors = new LinkedHashMap<>();
            model.stitchTensors().forEach((name, tensor) ->
                    tensors.put(name, Tensors.of(scope, values.get(name), tensor.getShape().getShape())));
            model.setStitchTensors(tensors);
        }
    }

    static int[][] tokens(long seed, int batch, int length, int vocabSize) {
        SplittableRandom random = new SplittableRandom(seed);
        int[][] tokens = new int[batch][length];
        for (int[] row : tokens) {
            for (int t = 0; t < length; t++) {
                row[t] = random.nextInt(vocabSize);
            }
        }
        return tokens;
    }

    static float[] logits(io.github.bts4j.core.torch.FrozenLm model, int[][] tokens) {
        return StitchGoldenTest.logits(model, tokens);
    }

    /** Of what all the model's streams make together; the stitches count as one stream more. */
    static Tolerance tolerance(StitchedModel model, int tokens) {
        return Tolerance.of(model.models().get(0).config(), tokens, Precision.FLOAT32).times(model.models().size() + 1);
    }

    static NDArray ids(NDManager manager, int[][] tokens, int vocabSize) {
        return TokenBatch.tensor(manager, tokens, 0, tokens[0].length, vocabSize);
    }

    static double mean(float[][] losses) {
        double sum = 0;
        for (float[] row : losses) {
            for (float loss : row) {
                sum += loss;
            }
        }
        return sum / (losses.length * losses[0].length);
    }

    /** Greedy tokens after a prompt, through the caches. */
    static int[] generate(io.github.bts4j.core.torch.FrozenLm model, int[] prompt, int count) {
        int[] found = new int[count];
        try (DecodeSession session = model.newSession(prompt.length + count)) {
            float[] logits = session.append(prompt);
            for (int t = 0; t < count; t++) {
                found[t] = StitchGoldenTest.argMax(logits);
                logits = session.append(found[t]);
            }
        }
        return found;
    }

    /** Writes the first layers of a checkpoint as a model of its own. */
    static Path cut(Path source, int layers, Path target) throws IOException {
        try (LlamaModel whole = LlamaModel.open(source)) {
            Map<String, NDArray> kept = new LinkedHashMap<>(whole.tensors());
            for (int layer = layers; layer < whole.config().numLayers(); layer++) {
                String prefix = "model.layers." + layer + ".";
                kept.keySet().removeIf(name -> name.startsWith(prefix));
            }
            try (LlamaModel part = LlamaModel.of("part", whole.config().withNumLayers(layers), kept, LoadOptions.defaults())) {
                part.save(target);
            }
        }
        return target;
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

    /** Changes one bit near the end of a file, where a safetensors file holds data. */
    static void flipByte(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 5] ^= 1;
        Files.write(file, bytes);
    }

    static List<String> kinds(StitchedModel model) {
        return model.stitchLayers().stream().map(layer -> layer.intoHub() ? "ExpertsIntoHub" : "HubIntoExperts").toList();
    }

    /** Gradients of all stitch tensors for the mean loss of these rows. */
    static Map<String, float[]> gradients(StitchedModel model, int[][] tokens) {
        model.stitchTensors().values().forEach(tensor -> tensor.setRequiresGradient(true));
        model.accumulateGradients(tokens, 1f / (tokens.length * (tokens[0].length - 1)), 0);
        Map<String, float[]> gradients = new HashMap<>();
        model.stitchTensors().forEach((name, tensor) -> gradients.put(name, tensor.getGradient().toFloatArray()));
        return gradients;
    }

    /** SHA-256 of every frozen tensor. */
    static Map<String, String> hashes(StitchedModel model) {
        Map<String, String> hashes = new HashMap<>();
        model.models().forEach(member -> member.tensors().forEach((name, tensor) -> hashes.put(member.getName() + name, Tensors.sha256(tensor))));
        return hashes;
    }
}
