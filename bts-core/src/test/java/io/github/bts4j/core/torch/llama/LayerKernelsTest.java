package io.github.bts4j.core.torch.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.LayerKernels;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.TrainingKernels;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The backward pass of layers against autograd's. */
class LayerKernelsTest {
    private static final Path GOLDEN = Path.of(System.getProperty("bts4j.golden"));
    private static final Path FOLDER = GOLDEN.resolve("llama2-gqa");
    private static final LayerKernels OWN = Kernels.of(LayerKernels.class);
    private static final TrainingKernels AUTOGRAD = Kernels.of(TrainingKernels.class);
    private static final int LAYERS = 3; // of every model here
    private static final int HIDDEN = 64;
    /** A layer rounds about forty results one after the other, forwards and backwards. */
    private static final int ROUNDINGS = 40 * LAYERS;

    private final Random random = new Random(5);
    private int documents; // tokens of each, or 0 for one document

    /** 200 tokens are more than a block of queries, whose number they are no multiple of; documents of 37 tokens begin and end within blocks. */
    @ParameterizedTest
    @CsvSource({"FLOAT32, 2, 16, 0", "FLOAT32, 1, 200, 0", "FLOAT32, 3, 1, 0", "BFLOAT16, 2, 16, 0", "BFLOAT16, 1, 200, 0", "FLOAT32, 2, 200, 37", "BFLOAT16, 2, 200, 37"})
    void gradientsAreAutograds(Precision precision, int batch, int length, int document) throws IOException {
        documents = document;
        try (NDManager scope = Torch.manager().newSubManager(); LlamaModel exact = open(Precision.FLOAT32); LlamaModel model = open(precision)) {
            ElementType type = precision == Precision.FLOAT32 ? ElementType.FLOAT32 : ElementType.BFLOAT16;
            NDArray x = values(scope, batch, length, HIDDEN);
            NDArray gradient = values(scope, batch, length, HIDDEN);
            float[][] expected = autograd(scope, exact, x, gradient);
            float[][] actual = own(scope, model, Tensors.copy(scope, x, type), Tensors.copy(scope, gradient, type));
            double rounding = type == ElementType.FLOAT32 ? 0x1p-24 : 0x1p-9;
            for (int i = 0; i < 2; i++) {
                double difference = difference(expected[i], actual[i]);
                assertTrue(difference < ROUNDINGS * rounding / 4, "difference " + difference + " of " + (i == 0 ? "states" : "gradients"));
            }
        }
    }

    /** Biases are trained too, and sums over 400 tokens are compared in bfloat16 with sums in float32. */
    @ParameterizedTest
    @CsvSource({"llama2-gqa, FLOAT32", "llama2-gqa, BFLOAT16", "biased-headdim-fp16, FLOAT32", "biased-headdim-fp16, BFLOAT16"})
    void gradientsOfWeightsAreAutograds(String name, Precision precision) throws IOException {
        try (NDManager scope = Torch.manager().newSubManager(); LlamaModel exact = open(GOLDEN.resolve(name), Precision.FLOAT32); LlamaModel model = open(GOLDEN.resolve(name), precision)) {
            train(exact);
            train(model);
            ElementType type = precision == Precision.FLOAT32 ? ElementType.FLOAT32 : ElementType.BFLOAT16;
            NDArray x = values(scope, 2, 200, exact.config().hiddenSize());
            NDArray gradient = values(scope, 2, 200, exact.config().hiddenSize());
            autograd(scope, exact, x, gradient);
            own(scope, model, Tensors.copy(scope, x, type), Tensors.copy(scope, gradient, type));
            double limit = ROUNDINGS * (type == ElementType.FLOAT32 ? 0x1p-24 : 0x1p-9) / 4;
            for (List<String> weights : together(exact)) {
                double difference = difference(gradientOf(scope, exact, weights), gradientOf(scope, model, weights));
                assertTrue(difference < limit, weights + ": difference " + difference + " of " + limit);
            }
        }
    }

    /** Each matrix and each norm, and the biases of a layer as one vector: a key's bias moves all scores of a query nearly alike, so that what its gradient adds up cancels, and roundings do not. */
    private static Collection<List<String>> together(LlamaModel model) {
        return inLayers(model).stream().collect(Collectors.groupingBy(name -> name.endsWith(".bias") ? name.replaceAll("(layers\\.\\d+).*", "$1") : name)).values();
    }

    private static void train(LlamaModel model) {
        inLayers(model).forEach(name -> model.tensors().get(name).setRequiresGradient(true));
    }

    private static List<String> inLayers(LlamaModel model) {
        return model.tensors().keySet().stream().filter(name -> name.startsWith("model.layers.")).toList();
    }

    private static float[] gradientOf(NDManager scope, LlamaModel model, List<String> names) {
        float[][] gradients = AUTOGRAD.leafGradients(scope, Autograd.OFF, names.stream().map(model.tensors()::get).toList()).stream().map(gradient -> floats(scope, gradient)).toArray(float[][]::new);
        for (int i = 0; i < gradients.length; i++) {
            float[] gradient = gradients[i];
            assertTrue(IntStream.range(0, gradient.length).anyMatch(j -> gradient[j] != 0), names.get(i) + " has no gradient");
        }
        return concatenated(gradients);
    }

    private static float[] concatenated(float[][] parts) {
        FloatBuffer all = FloatBuffer.allocate(Stream.of(parts).mapToInt(part -> part.length).sum());
        Stream.of(parts).forEach(all::put);
        return all.array();
    }

    @Test
    void otherLayersAreLeftToAutograd() throws IOException {
        try (LlamaModel model = open(Precision.FLOAT32); LlamaModel half = open(Precision.FLOAT16);
                LlamaModel quantised = LlamaModel.open(FOLDER, LoadOptions.defaults().withQuantization(Quantization.INT8));
                RopeRows rope = model.decoder().rope(0, 4)) {
            assertTrue(OWN.keepsLayers(Autograd.OFF, model.decoder().weights(), rope.tensors()));
            assertFalse(OWN.keepsLayers(Autograd.OFF, half.decoder().weights(), rope.tensors()));
            assertFalse(OWN.keepsLayers(Autograd.OFF, quantised.decoder().weights(), rope.tensors()));
        }
    }

    private static LlamaModel open(Precision precision) throws IOException {
        return open(FOLDER, precision);
    }

    private static LlamaModel open(Path folder, Precision precision) throws IOException {
        return LlamaModel.open(folder, LoadOptions.defaults().withPrecision(precision));
    }

    private NDArray values(NDManager scope, int batch, int length, int hidden) {
        float[] values = new float[batch * length * hidden];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Tensors.of(scope, values, batch, length, hidden);
    }

    private NDArray mask(NDManager scope, NDArray x) {
        Shape tokens = x.getShape().slice(0, 2);
        long[] ids = LongStream.range(0, tokens.size()).map(i -> i % documents).toArray();
        return AUTOGRAD.documentMask(scope, Autograd.OFF, scope.create(ids, tokens), 0, true);
    }

    @SuppressWarnings("try") // whole is only held
    private float[][] own(NDManager scope, LlamaModel model, NDArray x, NDArray gradient) {
        Decoder decoder = model.decoder();
        int layers = model.config().numLayers();
        try (RopeRows whole = decoder.rope(0, (int) x.getShape().get(1)); RopeRows rope = documents == 0 ? decoder.rope(0, (int) x.getShape().get(1)) : whole.masked(mask(scope, x))) {
            List<NDArray> kept = OWN.keptLayers(scope, Autograd.OFF, x, decoder.weights(), rope.tensors(), rope.row(), 0, layers);
            assertTrue(OWN.keepsLayers(Autograd.OFF, decoder.weights(), rope.tensors()));
            assertEquals(LayerKernels.KEPT * layers + 1, kept.size());
            NDArray below = OWN.layersGradient(scope, Autograd.OFF, gradient, kept, decoder.weights(), rope.tensors(), rope.row(), 0, layers);
            return new float[][] {floats(scope, kept.get(LayerKernels.KEPT * layers)), floats(scope, below)};
        }
    }

    @SuppressWarnings("try") // whole is only held
    private float[][] autograd(NDManager scope, LlamaModel model, NDArray x, NDArray gradient) {
        Decoder decoder = model.decoder();
        int layers = model.config().numLayers();
        NDArray state = x;
        NDArray below = gradient;
        List<List<NDArray>> graphs = new ArrayList<>();
        try (RopeRows whole = decoder.rope(0, (int) x.getShape().get(1)); RopeRows rope = documents == 0 ? decoder.rope(0, (int) x.getShape().get(1)) : whole.masked(mask(scope, x))) {
            for (int layer = 0; layer < layers; layer++) {
                graphs.add(AUTOGRAD.layerGraph(scope, Autograd.ON, state, decoder.weights(), rope.tensors(), rope.row(), layer));
                state = graphs.get(layer).get(1);
            }
            for (int layer = layers - 1; layer >= 0; layer--) {
                AUTOGRAD.backwardEach(Autograd.OFF, graphs.get(layer).subList(1, 2), List.of(below));
                below = AUTOGRAD.leafGradients(scope, Autograd.OFF, graphs.get(layer).subList(0, 1)).get(0);
            }
            return new float[][] {floats(scope, state), floats(scope, below)};
        }
    }

    private static float[] floats(NDManager scope, NDArray x) {
        return Tensors.copy(scope, AUTOGRAD.detached(scope, Autograd.OFF, x), ElementType.FLOAT32).toFloatArray();
    }

    /** The length of the difference as a share of the length of what was expected. */
    private static double difference(float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        double difference = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(actual[i] - (double) expected[i], 2);
            size += Math.pow(expected[i], 2);
        }
        return Math.sqrt(difference / size);
    }
}
