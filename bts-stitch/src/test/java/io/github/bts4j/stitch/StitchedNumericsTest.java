package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** bfloat16 streams, gradients by finite differences, and dropout's randomness. */
class StitchedNumericsTest {
    private static final int VOCAB = 160;
    /** Mean absolute difference of logits in bfloat16: bfloat16_compute_mean of the golden Llama cases. */
    private static final double BFLOAT16_MEAN = 0.09;
    private static final int[][] TOKENS = TinyModels.tokens(31, 2, 16, VOCAB);

    static List<Path> cases() {
        return GoldenCase.stitched();
    }

    private static double meanDifference(float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        double sum = 0;
        for (int i = 0; i < expected.length; i++) {
            sum += Math.abs((double) expected[i] - actual[i]);
        }
        return sum / expected.length;
    }

    private static double meanSize(float[] values) {
        return meanDifference(new float[values.length], values);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void bfloat16LogitsAreNearTheFloat32GoldenOnes(Path folder) throws IOException {
        List<String> names = new ArrayList<>();
        try (GoldenCase golden = new GoldenCase(folder)) {
            golden.about().get("models").forEach(name -> names.add(name.asText()));
            List<Integer> afterLayers = new ArrayList<>();
            golden.about().get("places").forEach(place -> afterLayers.add(place.asInt()));
            LoadOptions half = LoadOptions.defaults().withPrecision(Precision.BFLOAT16);
            try (StitchedModel model = TinyModels.open(folder, StitchConfig.at(afterLayers), half, names.toArray(String[]::new))) {
                assertEquals(ElementType.BFLOAT16, model.type());
                model.setStitchTensors(TensorFiles.read(golden.manager(), folder.resolve("stitch.safetensors")));
                float[] expected = golden.floats("logits");
                float[] logits = model.forward(golden.tensor("input_ids")).toFloatArray();
                double difference = meanDifference(expected, logits);
                assertTrue(difference < BFLOAT16_MEAN, "mean difference " + difference + " of " + meanSize(expected));
                assertEquals(golden.floats("loss")[0], TinyModels.mean(model.tokenLosses(golden.ids("input_ids"))), BFLOAT16_MEAN);
                decodeAgainst(model, golden.ids("input_ids")[0], logits);
            }
        }
    }

    /** The cached decode rounds in another order than the full pass; both stay within bfloat16's precision of each other. */
    private static void decodeAgainst(StitchedModel model, int[] ids, float[] logits) {
        try (DecodeSession session = model.newSession(ids.length)) {
            int at = 0;
            for (int piece : new int[] {9, 1, 1, 5, 1}) {
                float[] last = session.append(Arrays.copyOfRange(ids, at, at + piece));
                at += piece;
                float[] full = Arrays.copyOfRange(logits, (at - 1) * VOCAB, at * VOCAB);
                double difference = meanDifference(full, last);
                assertTrue(difference < BFLOAT16_MEAN, "after " + at + " tokens: " + difference + " of " + meanSize(full));
            }
        }
    }

    @Test
    void bfloat16StreamsGiveGradientsToFloat32Masters() throws IOException {
        LoadOptions half = LoadOptions.defaults().withPrecision(Precision.BFLOAT16);
        StitchConfig config = StitchConfig.evenly(4, 2).withDropout(0);
        Path root = TinyModels.golden("bts-3x4");
        try (StitchedModel model = TinyModels.disturbed(TinyModels.open(root, config, half, "hub", "code"), 6);
                StitchedModel exact = TinyModels.disturbed(TinyModels.open(root, config, LoadOptions.defaults(), "hub", "code"), 6)) {
            Map<String, float[]> expected = gradients(exact);
            gradients(model).forEach((name, gradient) -> {
                double error = GoldenCase.relativeError(expected.get(name), gradient);
                assertTrue(error < 0.1, name + ": relative error " + error);
            });
        }
    }

    private static Map<String, float[]> gradients(StitchedModel model) {
        return gradients(model, ActivationCheckpointing.OFF);
    }

    private static Map<String, float[]> gradients(StitchedModel model, ActivationCheckpointing checkpointing) {
        Map<String, NDArray> tensors = model.stitchTensors();
        tensors.values().forEach(tensor -> tensor.setRequiresGradient(true));
        model.accumulateGradients(TOKENS, 1f / (TOKENS.length * (TOKENS[0].length - 1)), 0, PassOptions.DEFAULT.withCheckpointing(checkpointing));
        Map<String, float[]> gradients = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> {
            try (NDArray gradient = tensor.getGradient()) {
                gradients.put(name, gradient.toFloatArray());
            }
        });
        return gradients;
    }

    /** The largest component of every tensor's gradient against the central difference of the loss. */
    @ParameterizedTest
    @EnumSource(Init.class)
    void gradientsAgreeWithFiniteDifferencesOfTheLoss(Init init) throws IOException {
        StitchConfig config = StitchConfig.evenly(4, 2).withDropout(0).withInit(init);
        double epsilon = 0.02;
        try (StitchedModel model = TinyModels.disturbed(TinyModels.open("bts-3x4", config, "hub", "code", "math"), 17)) {
            Map<String, float[]> gradients = gradients(model);
            Map<String, float[]> values = TinyModels.values(model);
            assertEquals(init.hasGateBias() ? 8 : 6, gradients.size());
            gradients.forEach((name, gradient) -> {
                int at = 0;
                for (int i = 0; i < gradient.length; i++) {
                    at = Math.abs(gradient[i]) > Math.abs(gradient[at]) ? i : at;
                }
                double slope = (lossAt(model, values, name, at, epsilon) - lossAt(model, values, name, at, -epsilon)) / (2 * epsilon);
                assertTrue(gradient[at] != 0, name);
                assertEquals(slope, gradient[at], 0.02 * Math.abs(gradient[at]) + 5e-5, name + " [" + at + "]");
            });
        }
    }

    private static double lossAt(StitchedModel model, Map<String, float[]> values, String name, int index, double move) {
        Map<String, float[]> moved = new LinkedHashMap<>(values);
        float[] tensor = values.get(name).clone();
        tensor[index] += (float) move;
        moved.put(name, tensor);
        TinyModels.set(model, moved);
        return TinyModels.mean(model.tokenLosses(TOKENS));
    }

    /** Both kinds of stitch, with one to three blocks behind each other, with and without dropout: the same bits. */
    @ParameterizedTest
    @CsvSource({"4, 0, PARTIAL", "4, 0, FULL", "4, 0.3, PARTIAL", "4, 0.3, FULL", "2, 0.1, PARTIAL", "1, 0, FULL"})
    void activationCheckpointingChangesNoGradient(int stitches, double dropout, ActivationCheckpointing checkpointing) throws IOException {
        StitchConfig config = StitchConfig.evenly(4, stitches).withDropout(dropout);
        try (StitchedModel kept = TinyModels.disturbed(TinyModels.open("bts-3x4", config, "hub", "code", "math"), 5);
                StitchedModel again = TinyModels.disturbed(TinyModels.open("bts-3x4", config, "hub", "code", "math"), 5)) {
            Map<String, float[]> expected = gradients(kept);
            assertEquals(stitches * 3, expected.size());
            gradients(again, checkpointing).forEach((name, gradient) -> assertArrayEquals(expected.get(name), gradient, name));
            assertTrue(expected.values().stream().anyMatch(gradient -> gradient[7] != 0));
            assertArrayEquals(kept.accumulateGradients(TOKENS, 1, 3), again.accumulateGradients(TOKENS, 1, 3, PassOptions.DEFAULT.withCheckpointing(checkpointing)));
        }
    }

    @Test
    void gradientsOfTwoPassesAddUp() throws IOException {
        StitchConfig config = StitchConfig.evenly(4, 2).withDropout(0);
        try (StitchedModel model = TinyModels.disturbed(TinyModels.open("bts-3x4", config, "hub", "code"), 12)) {
            Map<String, float[]> once = gradients(model);
            gradients(model).forEach((name, twice) -> {
                double largest = IntStream.range(0, twice.length).mapToDouble(i -> Math.abs(once.get(name)[i])).max().orElseThrow();
                int terms = 2 * TOKENS.length; // each row's gradient is a term, of the size of the largest element
                for (int i = 0; i < twice.length; i++) {
                    assertEquals(2 * once.get(name)[i], twice[i], Tolerance.ofSum(Tolerance.FLOAT32, terms, terms * largest, twice[i]), name);
                }
            });
        }
    }

    @Test
    void dropoutIsAFunctionOfTheSeedAndOffInEvaluation() throws IOException {
        try (StitchedModel model = TinyModels.disturbed(TinyModels.open("bts-3x4", StitchConfig.evenly(4, 2).withDropout(0.3), "hub", "code"), 1)) {
            model.stitchTensors().values().forEach(tensor -> tensor.setRequiresGradient(true));
            float[] first = model.accumulateGradients(TOKENS, 1, 5);
            float[] other = model.accumulateGradients(TOKENS, 1, 6);
            float[] again = model.accumulateGradients(TOKENS, 1, 5);
            assertArrayEquals(first, again);
            assertFalse(Arrays.equals(first, other), "another seed drops other gates");
            assertArrayEquals(TinyModels.logits(model, TOKENS), TinyModels.logits(model, TOKENS));
            float[][] losses = model.tokenLosses(TOKENS);
            assertFalse(Arrays.equals(losses[0], Arrays.copyOf(first, losses[0].length)), "evaluation drops no gate");
        }
    }
}
