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
import io.github.bts4j.core.torch.FrozenKernels;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.TrainingKernels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The backward pass of frozen layers against autograd's. */
class FrozenKernelsTest {
    private static final Path FOLDER = Path.of(System.getProperty("bts4j.golden"), "llama2-gqa");
    private static final FrozenKernels FROZEN = Kernels.of(FrozenKernels.class);
    private static final TrainingKernels AUTOGRAD = Kernels.of(TrainingKernels.class);
    private static final int LAYERS = 3;
    private static final int HIDDEN = 64;
    /** A layer rounds about forty results one after the other, forwards and backwards. */
    private static final int ROUNDINGS = 40 * LAYERS;

    private final Random random = new Random(5);

    /** 200 tokens are more than a block of queries, whose number they are no multiple of. */
    @ParameterizedTest
    @CsvSource({"FLOAT32, 2, 16", "FLOAT32, 1, 200", "FLOAT32, 3, 1", "BFLOAT16, 2, 16", "BFLOAT16, 1, 200"})
    void gradientsAreAutograds(Precision precision, int batch, int length) throws IOException {
        try (NDManager scope = Torch.manager().newSubManager(); LlamaModel exact = open(Precision.FLOAT32); LlamaModel model = open(precision)) {
            ElementType type = precision == Precision.FLOAT32 ? ElementType.FLOAT32 : ElementType.BFLOAT16;
            NDArray x = values(scope, batch, length);
            NDArray gradient = values(scope, batch, length);
            float[][] expected = autograd(scope, exact, x, gradient);
            float[][] actual = frozen(scope, model, Tensors.copy(scope, x, type), Tensors.copy(scope, gradient, type));
            double rounding = type == ElementType.FLOAT32 ? 0x1p-24 : 0x1p-9;
            for (int i = 0; i < 2; i++) {
                double difference = difference(expected[i], actual[i]);
                assertTrue(difference < ROUNDINGS * rounding / 4, "difference " + difference + " of " + (i == 0 ? "states" : "gradients"));
            }
        }
    }

    @Test
    void otherLayersAreLeftToAutograd() throws IOException {
        try (LlamaModel model = open(Precision.FLOAT32); LlamaModel half = open(Precision.FLOAT16);
                LlamaModel quantised = LlamaModel.open(FOLDER, LoadOptions.defaults().withQuantization(Quantization.INT8));
                RopeRows rope = model.decoder().rope(0, 4); NDManager scope = Torch.manager().newSubManager()) {
            assertTrue(FROZEN.keepsLayers(Autograd.OFF, model.decoder().weights(), rope.tensors()));
            assertFalse(FROZEN.keepsLayers(Autograd.OFF, half.decoder().weights(), rope.tensors()));
            assertFalse(FROZEN.keepsLayers(Autograd.OFF, quantised.decoder().weights(), rope.tensors()));
            NDArray mask = AUTOGRAD.documentMask(scope, Autograd.OFF, scope.create(new long[] {3, 0, 5, 6}, new Shape(1, 4)), 0, true);
            try (RopeRows masked = rope.masked(mask)) {
                assertFalse(FROZEN.keepsLayers(Autograd.OFF, model.decoder().weights(), masked.tensors()));
            }
        }
    }

    private static LlamaModel open(Precision precision) throws IOException {
        return LlamaModel.open(FOLDER, LoadOptions.defaults().withPrecision(precision));
    }

    private NDArray values(NDManager scope, int batch, int length) {
        float[] values = new float[batch * length * HIDDEN];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Tensors.of(scope, values, batch, length, HIDDEN);
    }

    private static float[][] frozen(NDManager scope, LlamaModel model, NDArray x, NDArray gradient) {
        Decoder decoder = model.decoder();
        try (RopeRows rope = decoder.rope(0, (int) x.getShape().get(1))) {
            List<NDArray> kept = FROZEN.keptLayers(scope, Autograd.OFF, x, decoder.weights(), rope.tensors(), rope.row(), 0, LAYERS);
            assertEquals(10 * LAYERS + 1, kept.size());
            NDArray below = FROZEN.layersGradient(scope, Autograd.OFF, gradient, kept, decoder.weights(), rope.tensors(), rope.row(), 0, LAYERS);
            return new float[][] {floats(scope, kept.get(10 * LAYERS)), floats(scope, below)};
        }
    }

    private static float[][] autograd(NDManager scope, LlamaModel model, NDArray x, NDArray gradient) {
        Decoder decoder = model.decoder();
        NDArray state = x;
        NDArray below = gradient;
        List<List<NDArray>> graphs = new ArrayList<>();
        try (RopeRows rope = decoder.rope(0, (int) x.getShape().get(1))) {
            for (int layer = 0; layer < LAYERS; layer++) {
                graphs.add(AUTOGRAD.layerGraph(scope, Autograd.ON, state, decoder.weights(), rope.tensors(), rope.row(), layer));
                state = graphs.get(layer).get(1);
            }
            for (int layer = LAYERS - 1; layer >= 0; layer--) {
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
