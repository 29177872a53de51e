package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.baseline.UpcycledConfig;
import io.github.bts4j.stitch.baseline.UpcycledModel;
import io.github.bts4j.train.optim.AdamW;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.TensorCopies;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Branch-Train-MiX and BAM against PyTorch (src-test-data/tools/upcycled_golden.py): logits, gradients, five steps of AdamW. */
class UpcycledGoldenTest {
    private static final List<String> NAMES = List.of("hub", "code", "math");
    private static final List<LlamaModel> MODELS = new ArrayList<>();
    private static NDManager owner;
    private static Map<String, NDArray> golden;
    private static int[][] tokens;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void open() throws IOException {
        Path root = Path.of(System.getProperty("bts4j.testData"), "golden").resolve("bts-3x4");
        for (String name : NAMES) {
            MODELS.add(LlamaModel.open(root.resolve(name)));
        }
        Path file = folder.resolve("golden.safetensors");
        try (InputStream in = UpcycledGoldenTest.class.getResourceAsStream("upcycled.safetensors")) {
            Files.copy(in, file);
        }
        owner = Torch.manager().newSubManager();
        golden = TensorFiles.read(owner, file);
        NDArray ids = golden.get("tokens");
        tokens = new int[(int) ids.getShape().get(0)][(int) ids.getShape().get(1)];
        long[] flat = ids.toLongArray();
        for (int row = 0; row < tokens.length; row++) {
            int from = row * tokens[row].length;
            Arrays.setAll(tokens[row], i -> (int) flat[from + i]);
        }
    }

    @AfterAll
    static void close() {
        MODELS.forEach(LlamaModel::close);
        owner.close();
    }

    private static UpcycledConfig config(String name) {
        LlamaConfig base = MODELS.get(0).config();
        return switch (name) {
            case "btx_sample" -> UpcycledConfig.btxSample(base, NAMES);
            case "btx_soft" -> UpcycledConfig.btxSoft(base, NAMES);
            case "bam" -> UpcycledConfig.bam(base, NAMES);
            default -> UpcycledConfig.bamAdapters(base, NAMES);
        };
    }

    /** A training whose routers, and adapters of one layer, are those that the golden run started with. */
    private static UpcycledTraining training(String name) throws IOException {
        UpcycledTraining training = new UpcycledTraining(config(name), MODELS);
        String prefix = name + ".start.";
        Map<String, NDArray> start = new LinkedHashMap<>();
        golden.keySet().stream().filter(key -> key.startsWith(prefix)).forEach(key -> start.put(key.substring(prefix.length()), golden.get(key)));
        Map<String, NDArray> targets = new LinkedHashMap<>(training.parameters());
        targets.keySet().retainAll(start.keySet());
        assertEquals(start.keySet(), targets.keySet());
        TensorCopies.copyInto(targets, start, "start");
        return training;
    }

    private static int[][] inputs() {
        return Arrays.stream(tokens).map(row -> Arrays.copyOf(row, row.length - 1)).toArray(int[][]::new);
    }

    private static void assertClose(float[] expected, float[] found, double tolerance, String what) {
        assertEquals(expected.length, found.length, what);
        double scale = 0;
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            scale = Math.max(scale, Math.abs(expected[i]));
            worst = Math.max(worst, Math.abs(expected[i] - found[i]));
        }
        assertTrue(worst <= tolerance * scale, what + ": off by " + worst + " where values reach " + scale);
    }

    @ParameterizedTest
    @ValueSource(strings = {"btx_sample", "btx_soft", "bam", "bam_adapters"})
    void logitsAreThoseOfPyTorch(String name) throws IOException {
        Path saved = folder.resolve(name);
        float[][] losses;
        try (UpcycledTraining training = training(name)) {
            training.save(saved);
            losses = training.tokenLosses(tokens);
        }
        try (UpcycledModel model = UpcycledModel.open(saved, LoadOptions.defaults()); NDManager scope = Torch.manager().newSubManager()) {
            float[] expected = golden.get(name + ".logits").toFloatArray();
            int[] row = inputs()[0];
            NDArray logits = model.forward(scope.create(Arrays.stream(row).asLongStream().toArray()).reshape(1, row.length));
            assertClose(expected, logits.toFloatArray(), tolerance(), "logits");
            assertArrayEquals(losses, model.tokenLosses(tokens)); // a saved mixture is the one that was trained
            int vocabSize = model.vocabSize();
            try (DecodeSession session = model.newSession(row.length)) {
                session.append(Arrays.copyOf(row, 7));
                for (int at = 7; at < row.length; at++) {
                    assertClose(Arrays.copyOfRange(expected, at * vocabSize, (at + 1) * vocabSize), session.append(row[at]), tolerance(), "position " + at);
                }
            }
            checkSessionsInStep(model, row, expected);
        }
        try (UpcycledModel half = UpcycledModel.open(saved, LoadOptions.defaults().withPrecision(Precision.BFLOAT16))) {
            Tolerance.assertNoWorse("losses in bfloat16, against those of a model of one feed-forward network", flat(losses), shifted(losses), flat(half.tokenLosses(tokens)));
        }
    }

    /** One token of each of three sessions at a time: one begins with it, the others have read five and nine tokens of the same text. */
    private static void checkSessionsInStep(UpcycledModel model, int[] row, float[] expected) {
        int[] lengths = {0, 5, 9};
        int vocabSize = model.vocabSize();
        List<DecodeSession> sessions = IntStream.of(lengths).mapToObj(length -> model.newSession(row.length)).toList();
        try {
            for (int i = 1; i < lengths.length; i++) {
                sessions.get(i).append(Arrays.copyOf(row, lengths[i]));
            }
            for (int step = 0; step < 3; step++) {
                int by = step;
                float[][] logits = model.appendEach(sessions, IntStream.of(lengths).map(length -> row[length + by]).toArray());
                for (int i = 0; i < lengths.length; i++) {
                    int at = lengths[i] + step;
                    assertClose(Arrays.copyOfRange(expected, at * vocabSize, (at + 1) * vocabSize), logits[i], tolerance(), "session " + i + ", position " + at);
                }
            }
        } finally {
            sessions.forEach(DecodeSession::close);
        }
    }

    /** Relative to the largest value: of a model in which two or three feed-forward networks answer for one. */
    private static double tolerance() {
        return Tolerance.of(MODELS.get(0).config(), tokens[0].length, Precision.FLOAT32).times(2).relative();
    }

    private static float largest(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private static float[] flat(float[][] losses) {
        float[] all = new float[losses.length * losses[0].length];
        for (int row = 0; row < losses.length; row++) {
            System.arraycopy(losses[row], 0, all, row * losses[0].length, losses[0].length);
        }
        return all;
    }

    /** By as much as bfloat16 changes the first model's losses. */
    private static float[] shifted(float[][] losses) throws IOException {
        try (LlamaModel half = LlamaModel.open(TinyRuns.golden("bts-3x4").resolve(NAMES.get(0)), LoadOptions.defaults().withPrecision(Precision.BFLOAT16))) {
            float[] exact = flat(MODELS.get(0).tokenLosses(tokens));
            float[] rounded = flat(half.tokenLosses(tokens));
            float[] all = flat(losses);
            for (int i = 0; i < all.length; i++) {
                all[i] += rounded[i] - exact[i];
            }
            return all;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"btx_sample", "btx_soft", "bam", "bam_adapters"})
    void fiveStepsAreThoseOfPyTorch(String name) throws IOException {
        float[] expected = golden.get(name + ".losses").toFloatArray();
        try (UpcycledTraining training = training(name);
                AdamW optimizer = new AdamW(new AdamWConfig(0.9, 0.95, 1e-8, 0.1), training.manager(), training.parameters())) {
            int count = tokens.length * (tokens[0].length - 1);
            for (int step = 0; step < expected.length; step++) {
                float[] losses = training.accumulateGradients(tokens, 1f / count, 11 + 100L * step);
                double mean = 0;
                for (float loss : losses) {
                    mean += loss / (double) losses.length;
                }
                assertEquals(expected[step], mean, (step + 1) * tolerance() * expected[step], "loss of step " + step); // each step adds to the weights' error
                if (step == 0) {
                    compareGradients(name, training.parameters());
                }
                optimizer.step(1e-3);
            }
        }
    }

    private static void compareGradients(String name, Map<String, NDArray> parameters) {
        String prefix = name + ".gradient.";
        List<String> compared = golden.keySet().stream().filter(key -> key.startsWith(prefix)).toList();
        assertTrue(compared.size() >= 3, compared.toString());
        for (String key : compared) {
            try (NDArray gradient = parameters.get(key.substring(prefix.length())).getGradient()) {
                assertClose(golden.get(key).toFloatArray(), gradient.toFloatArray(), 3 * tolerance(), key); // through a chain of twice the length, summed over all tokens
            }
        }
    }

    @Test
    void aMixtureBeginsAsTheAverage() throws IOException {
        try (UpcycledTraining soft = new UpcycledTraining(UpcycledConfig.btxSoft(MODELS.get(0).config(), NAMES), MODELS);
                UpcycledTraining bam = new UpcycledTraining(UpcycledConfig.bam(MODELS.get(0).config(), NAMES), MODELS);
                UpcycledTraining adapters = new UpcycledTraining(UpcycledConfig.bamAdapters(MODELS.get(0).config(), NAMES), MODELS)) {
            float[][] expected = bam.tokenLosses(tokens);
            float[][] found = adapters.tokenLosses(tokens);
            for (int row = 0; row < expected.length; row++) {
                assertArrayEquals(expected[row], found[row], (float) (2 * tolerance() * largest(expected[row]))); // adapters begin at the identity
            }
            assertTrue(soft.parameters().keySet().stream().noneMatch(name -> name.contains("self_attn.experts")));
            assertEquals(soft.parameters().values().stream().mapToLong(NDArray::size).sum(), UpcycledConfig.btxSoft(MODELS.get(0).config(), NAMES).trainedCount());
            assertEquals(adapters.parameters().values().stream().mapToLong(NDArray::size).sum(),
                    UpcycledConfig.bamAdapters(MODELS.get(0).config(), NAMES).trainedCount());
            assertEquals(Tensors.toFloats(MODELS.get(1).tensors().get("model.layers.2.mlp.up_proj.weight"))[5],
                    Tensors.toFloats(soft.parameters().get("model.layers.2.mlp.experts.1.up_proj.weight"))[5]);
        }
    }

    /** Table 2 of arXiv 2502.00075, in billions: trained and total parameters. 2.7 B is a feed-forward network of 3 x 3072 x 8192 in 20 layers. */
    @Test
    void parameterCountsAreThoseOfThePaper() {
        LlamaConfig paper = LlamaConfig.builder().vocabSize(128_000).hiddenSize(3072).intermediateSize(8192).numLayers(20).numHeads(24).numKvHeads(1)
                .maxPositionEmbeddings(4096).build();
        List<String> four = List.of("seed", "code", "multilingual", "math");
        assertEquals(7.2e9, UpcycledConfig.btxSample(paper, four).trainedCount(), 0.05e9);
        assertEquals(7.2e9, UpcycledConfig.btxSoft(paper, four).activeCount(), 0.05e9);
        assertEquals(8.4e9, UpcycledConfig.bam(paper, four).parameterCount(), 0.05e9);
        assertEquals(1.5e9, UpcycledConfig.bamAdapters(paper, four).trainedCount(), 0.05e9);
        assertEquals(9.9e9, UpcycledConfig.bamAdapters(paper, four).parameterCount(), 0.06e9);
        assertEquals(2.7e9, UpcycledConfig.btxSample(paper, four).activeCount(), 0.05e9); // the paper says 2.9, and not what more than the seed is active
    }

    @Test
    void badInputIsRefused() throws IOException {
        LlamaConfig base = MODELS.get(0).config();
        assertTrue(assertThrows(IllegalArgumentException.class, () -> UpcycledConfig.btxSoft(base, List.of("one"))).getMessage().contains("at least two"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new UpcycledConfig(base, NAMES, true, true, false)).getMessage().contains("topOne"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new UpcycledTraining(config("bam"), MODELS.subList(0, 2))).getMessage().contains("2 models"));
        Path saved = folder.resolve("mixed-up");
        try (UpcycledTraining training = new UpcycledTraining(config("btx_soft"), MODELS)) {
            training.save(saved);
        }
        Files.writeString(saved.resolve("upcycled.json"), "{\"experts\":[\"a\",\"b\",\"c\"],\"topOne\":false,\"attentionExperts\":true,\"adapters\":false}");
        assertTrue(assertThrows(ModelFormatException.class, () -> UpcycledModel.open(saved, LoadOptions.defaults())).getMessage().contains("one checkpoint"));
        Files.writeString(saved.resolve("upcycled.json"), "{\"experts\":[\"a\"]}");
        assertTrue(assertThrows(ModelFormatException.class, () -> UpcycledModel.open(saved, LoadOptions.defaults())).getMessage().contains("upcycled.json"));
    }
}
