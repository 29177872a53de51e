package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.optim.AdamW;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OneExpertTrainingTest {
    private static final int[][] TOKENS = {{3, 14, 15, 92, 65, 35, 89, 79, 32}, {2, 71, 82, 81, 82, 84, 59, 4, 52}};

    private static Map<String, float[]> values(StitchedModel model) {
        Map<String, float[]> values = new LinkedHashMap<>();
        model.stitchTensors().forEach((name, tensor) -> values.put(name, Tensors.toFloats(tensor)));
        return values;
    }

    private static float[] slice(float[] gate, int models, int index) {
        int size = gate.length / models;
        return Arrays.copyOfRange(gate, index * size, (index + 1) * size);
    }

    /** With weight decay and after steps of all weights, whose moments would still move them. */
    @ParameterizedTest
    @CsvSource({"code,1", "math,2"})
    void onlyThatExpertsWeightsChange(String name, int index) throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0)) {
            try (Trainer all = new Trainer(new StitchTraining(model), TinyRuns.data(), config(3), MetricsListener.all())) {
                all.run();
            }
            Map<String, float[]> before = values(model);
            float whole = loss(model);
            try (Trainer one = new Trainer(new StitchTraining(model).onlyExpert(name), TinyRuns.data(), config(20), MetricsListener.all())) {
                one.run();
            }
            Map<String, float[]> after = values(model);
            before.forEach((tensor, old) -> {
                float[] now = after.get(tensor);
                if (tensor.contains(".gate.")) {
                    for (int k = 0; k < 3; k++) {
                        boolean same = Arrays.equals(slice(old, 3, k), slice(now, 3, k));
                        assertEquals(k != index, same, tensor + " slice " + k);
                    }
                } else {
                    assertEquals(!tensor.endsWith(".proj." + index + ".weight"), Arrays.equals(old, now), tensor);
                }
            });
            assertTrue(loss(model) < whole, "the loss went from " + whole + " to " + loss(model));
        }
    }

    private static TrainerConfig config(int steps) {
        return TrainerConfig.of(steps, 2, TinyRuns.LENGTH, new LearningRate.Constant(1e-3)).withOptimizer(new AdamWConfig(0.9, 0.95, 1e-8, 0.1));
    }

    private static float loss(StitchedModel model) {
        double sum = 0;
        for (int i = 0; i < 4; i++) {
            for (float[] row : model.tokenLosses(TinyRuns.data().batch(i * 2L, 2, TinyRuns.LENGTH).rows())) {
                for (float loss : row) {
                    sum += loss;
                }
            }
        }
        return (float) sum;
    }

    /** The gradient of the trained slices is that of the training of all weights, which the golden files check. */
    @Test
    void gradientsAreThoseOfTheWholeTraining() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0); StitchedModel other = TinyRuns.stitched(0)) {
            StitchTraining all = new StitchTraining(model);
            Trainable one = new StitchTraining(other).onlyExpert("math");
            try (AdamW first = new AdamW(AdamWConfig.STITCH, model.getNDManager(), all.parameters());
                    AdamW second = new AdamW(AdamWConfig.STITCH, other.getNDManager(), one.parameters())) {
                assertArrayEquals(all.accumulateGradients(TOKENS, 0.1f, 0), one.accumulateGradients(TOKENS, 0.1f, 0));
                assertTrue(first.gradientNorm() > second.gradientNorm());
                one.parameters().forEach((name, tensor) -> {
                    float[] found = gradient(tensor);
                    float[] expected = gradient(all.parameters().get(name));
                    if (name.contains(".gate.")) {
                        assertArrayEquals(slice(expected, 3, 2), slice(found, 3, 2), name);
                        assertArrayEquals(new float[slice(found, 3, 1).length], slice(found, 3, 1), name);
                    } else {
                        assertArrayEquals(expected, found, name);
                    }
                });
            }
            assertFalse(one.identity().equals(all.identity()));
            assertThrows(IllegalArgumentException.class, () -> all.onlyExpert("hub"));
            assertTrue(assertThrows(IllegalArgumentException.class, () -> all.onlyExpert("law")).getMessage().contains("[code, math]"));
        }
    }

    private static float[] gradient(NDArray tensor) {
        try (NDArray gradient = tensor.getGradient()) {
            return gradient.toFloatArray();
        }
    }
}
