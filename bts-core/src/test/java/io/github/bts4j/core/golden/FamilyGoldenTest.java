package io.github.bts4j.core.golden;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.family.Family;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.NextTokenLoss;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.TrainingKernels;
import io.github.bts4j.core.torch.llama.Decoder;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.core.torch.llama.RopeRows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every family against Hugging Face transformers (src-test-data/families/generate.py), in both formats of files and on both engines. */
class FamilyGoldenTest {
    private static final LoadOptions FLOAT32 = LoadOptions.defaults().withPrecision(Precision.FLOAT32);
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"), "families");

    static List<Path> cases() throws IOException {
        try (Stream<Path> folders = Files.list(DATA)) {
            return folders.filter(folder -> Files.exists(folder.resolve("config.json"))).sorted().toList();
        }
    }

    static List<Path> casesWithGguf() throws IOException {
        return cases().stream().filter(folder -> Files.exists(folder.resolve("model.gguf"))).toList();
    }

    /** Where the frequencies follow the length, the keys in a cache are those of the length that they were made at. */
    static List<Path> fixedFrequencies() throws IOException {
        return cases().stream().filter(folder -> !GoldenCase.dependsOnLength(folder)).toList();
    }

    @Test
    void everyFamilyHasTwoCases() throws IOException {
        Map<Family, Long> counts = new LinkedHashMap<>();
        for (Path folder : cases()) {
            counts.merge(LlamaConfig.read(folder).traits().family(), 1L, Long::sum);
        }
        assertEquals(Arrays.stream(Family.values()).filter(family -> family != Family.LLAMA).collect(Collectors.toMap(family -> family, family -> 2L)), counts);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void logitsHiddenStatesAndLoss(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, FLOAT32)) {
            NDArray ids = golden.tensor("input_ids");
            Tolerance tolerance = tolerance(model, ids);
            tolerance.assertClose("logits", golden.floats("logits"), model.forward(ids).toFloatArray());
            List<NDArray> states = model.hiddenStates(ids.get("0:1"));
            assertEquals(model.config().numLayers() + 1, states.size());
            for (int i = 0; i < states.size(); i++) {
                tolerance.assertClose("hidden." + i, golden.floats("hidden." + i), states.get(i).toFloatArray());
            }
            assertEquals(golden.floats("loss")[0], mean(model.tokenLosses(golden.ids("input_ids"))), tolerance.ofLosses(golden.floats("logits")));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("fixedFrequencies")
    void greedyTokensThroughTheKvCache(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, FLOAT32)) {
            int[] expected = golden.ids("greedy_ids")[0];
            assertArrayEquals(expected, GreedyTokens.after(model, Arrays.copyOf(expected, 6), expected.length));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("fixedFrequencies")
    void cachedDecodingEqualsTheFullForward(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, FLOAT32)) {
            int[] ids = golden.ids("input_ids")[0];
            double tolerance = tolerance(model, golden.tensor("input_ids")).of(golden.floats("logits"));
            int vocab = model.vocabSize();
            try (DecodeSession session = model.newSession(ids.length); DecodeSession other = model.newSession(8)) {
                other.append(3, 4, 5);
                int at = 0;
                for (int piece : new int[] {9, 1, 1, 14, 2, 1, 29, 1, 1, 1}) { // prefill, single tokens and later pieces, the last two beside another session
                    int[] next = Arrays.copyOfRange(ids, at, at + piece);
                    at += piece;
                    float[] last = at < 59 ? session.append(next) : model.appendEach(new ArrayList<>(List.of(other, session)), new int[] {6, next[0]})[1];
                    GoldenCase.assertClose("after " + at, Arrays.copyOfRange(golden.floats("logits"), (at - 1) * vocab, at * vocab), last, tolerance);
                }
                assertEquals(ids.length, at);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void gradientsThroughFrozenLayers(Path folder) throws IOException {
        TrainingKernels kernels = Kernels.of(TrainingKernels.class);
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, FLOAT32); NDManager manager = golden.manager().newSubManager()) {
            int[] tokens = Arrays.copyOf(golden.ids("input_ids")[0], 24);
            Map<String, NDArray> tensors = new LinkedHashMap<>(model.tensors());
            NDArray table = Tensors.copy(manager, tensors.get("model.embed_tokens.weight"), ElementType.FLOAT32);
            tensors.put("model.embed_tokens.weight", table);
            table.setRequiresGradient(true);
            try (Decoder decoder = new Decoder(model.config(), tensors, manager, ElementType.FLOAT32); RopeRows rope = decoder.rope(0, tokens.length)) {
                NDArray ids = TokenBatch.tensor(manager, new int[][] {tokens}, 0, tokens.length, model.vocabSize());
                NDArray labels = manager.create(labels(tokens), ids.getShape());
                NDArray hidden = kernels.forwardHidden(manager, Autograd.ON, ids, decoder.weights(), rope.tensors(), rope.row());
                float[] losses = NextTokenLoss.backward(kernels, manager, hidden, model.decoder().head(manager), labels, 1f / (tokens.length - 1));
                Tolerance tolerance = tolerance(model, ids);
                double sum = 0;
                for (float loss : losses) {
                    sum += loss;
                }
                assertEquals(golden.floats("gradient_loss")[0], sum / (tokens.length - 1), tolerance.ofLosses(losses));
                try (NDArray gradient = table.getGradient()) {
                    double error = GoldenCase.relativeError(byToken(tokens, golden.floats("gradient"), model.config()), gradient.toFloatArray());
                    assertTrue(error <= tolerance.times(3).ofNorm(), "relative error " + error + " above " + tolerance.times(3).ofNorm()); // forward, and backward two products for each
                }
            }
        }
    }

    /** The next tokens; the last one has none. */
    private static long[] labels(int[] tokens) {
        long[] labels = new long[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            labels[i] = i + 1 < tokens.length ? tokens[i + 1] : -1;
        }
        return labels;
    }

    /** Gradients of the embedding table from those of the tokens' embeddings, which are rows of the table times a factor. */
    private static float[] byToken(int[] tokens, float[] gradients, LlamaConfig config) {
        float[] table = new float[config.vocabSize() * config.hiddenSize()];
        double factor = config.traits().family().spec().hasMultipliers() ? 1 : config.traits().multipliers().embedding(); // transformers' Granite multiplies what it is given
        for (int i = 0; i < gradients.length; i++) {
            table[tokens[i / config.hiddenSize()] * config.hiddenSize() + i % config.hiddenSize()] += (float) (factor * gradients[i]);
        }
        return table;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void bfloat16StaysNearTheReference(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, LoadOptions.defaults().withPrecision(Precision.BFLOAT16))) {
            NDArray ids = golden.tensor("input_ids");
            double error = GoldenCase.relativeError(golden.floats("logits"), model.forward(ids).toFloatArray());
            double tolerance = tolerance(model, ids).ofNorm();
            assertTrue(error <= tolerance, "relative error " + error + " > " + tolerance);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("casesWithGguf")
    void aGgufFileOfTheSameWeightsIsTheSameModel(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder.resolve("model.gguf"), FLOAT32); LlamaModel reference = LlamaModel.open(folder, FLOAT32)) {
            assertEquals(reference.tensors().keySet(), model.tensors().keySet());
            reference.tensors().forEach((tensor, values) -> assertArrayEquals(Tensors.toFloats(values), Tensors.toFloats(model.tensors().get(tensor)),
                    tensor.endsWith("norm.weight") ? (float) Tolerance.FLOAT32 : 0, tensor)); // 1 + w in the file is rounded
            NDArray ids = golden.tensor("input_ids");
            tolerance(model, ids).assertClose("logits", golden.floats("logits"), model.forward(ids).toFloatArray());
            assertEquals(reference.config().traits().family().spec().ggufArchitecture(), model.config().traits().family().spec().ggufArchitecture());
            assertEquals(reference.config().traits().windowedLayers(), model.config().traits().windowedLayers());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void isTheSameOnceSaved(Path folder, @TempDir Path saved) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder)) {
            model.save(saved);
            try (LlamaModel again = LlamaModel.open(saved)) {
                assertEquals(model.config(), again.config());
                assertEquals(model.tensors().keySet(), again.tensors().keySet());
                assertArrayEquals(model.forward(golden.tensor("input_ids")).toFloatArray(), again.forward(golden.tensor("input_ids")).toFloatArray());
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void isTheSameOnceSavedInInt8(Path folder, @TempDir Path saved) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, FLOAT32.withQuantization(Quantization.INT8))) {
            model.save(saved);
            try (LlamaModel again = LlamaModel.open(saved)) {
                assertTrue(again.isQuantized());
                assertArrayEquals(model.forward(golden.tensor("input_ids")).toFloatArray(), again.forward(golden.tensor("input_ids")).toFloatArray());
            }
        }
    }

    private static Tolerance tolerance(LlamaModel model, NDArray ids) {
        return Tolerance.of(model.config(), (int) ids.getShape().get(1), model.precision());
    }

    private static double mean(float[][] losses) {
        return Arrays.stream(losses).flatMapToDouble(row -> java.util.stream.IntStream.range(0, row.length).mapToDouble(i -> row[i])).average().orElseThrow();
    }
}
