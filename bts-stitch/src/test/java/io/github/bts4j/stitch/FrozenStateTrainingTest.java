package io.github.bts4j.stitch;

import static io.github.bts4j.stitch.FrozenStatePasses.LENGTH;
import static io.github.bts4j.stitch.FrozenStatePasses.TOKENS;
import static io.github.bts4j.stitch.FrozenStatePasses.assertSame;
import static io.github.bts4j.stitch.FrozenStatePasses.open;
import static io.github.bts4j.stitch.FrozenStatePasses.pass;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Ropes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Training on frozen states that a cache gives: losses, gradients and weights are those of training without one. */
class FrozenStateTrainingTest {
    @TempDir
    private Path folder;

    /** Layouts, and how many states of a hub and two experts no training changes. */
    static Stream<Arguments> layouts() {
        StitchConfig four = StitchConfig.evenly(4, 4);
        List<Arguments> layouts = List.of(Arguments.of(StitchConfig.evenly(4, 1), 3), Arguments.of(StitchConfig.evenly(4, 2), 4),
                Arguments.of(StitchConfig.evenly(4, 3), 3), Arguments.of(four, 4), Arguments.of(StitchConfig.at(List.of(1, 4)), 4),
                Arguments.of(four.withAlternating(false), 3), Arguments.of(four.withInit(Init.HUB), 4));
        return layouts.stream().flatMap(layout -> Stream.of(ActivationCheckpointing.values())
                .map(checkpointing -> Arguments.of(layout.get()[0], layout.get()[1], checkpointing)));
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void threeEpochsOfHalfPrecisionTrainingAreTheSameToTheBit(StitchConfig layout, int states, ActivationCheckpointing checkpointing) throws IOException {
        LoadOptions half = LoadOptions.defaults().withPrecision(Precision.BFLOAT16);
        PassOptions options = PassOptions.DEFAULT.withCheckpointing(checkpointing);
        try (StitchedModel plain = open(layout.withDropout(0.2), half, "hub", "code", "math");
                StitchedModel cached = open(layout.withDropout(0.2), half, "hub", "code", "math"); FrozenStateCache cache = FrozenStateCache.open(folder)) {
            List<Map<String, float[]>> expected = train(plain, options);
            assertSame(expected, train(cached, options.withFrozenStateCache(cache)));
            assertEquals(List.of(2L * 6 * states, 6L * states), List.of(cache.hits(), cache.misses()), "two epochs of six sequences, and the first one");
        }
    }

    /** The rounding of float32 states in the cache moves losses, gradients and weights by less than computing in bfloat16 does. */
    @ParameterizedTest
    @MethodSource("layouts")
    void threeEpochsOfFloat32TrainingAreTheSameWithinBfloat16(StitchConfig layout, int states, ActivationCheckpointing checkpointing) throws IOException {
        PassOptions options = PassOptions.DEFAULT.withCheckpointing(checkpointing);
        LoadOptions half = LoadOptions.defaults().withPrecision(Precision.BFLOAT16);
        try (StitchedModel plain = open(layout.withDropout(0.2), LoadOptions.defaults(), "hub", "code", "math");
                StitchedModel rounded = open(layout.withDropout(0.2), half, "hub", "code", "math");
                StitchedModel cached = open(layout.withDropout(0.2), LoadOptions.defaults(), "hub", "code", "math"); FrozenStateCache cache = FrozenStateCache.open(folder)) {
            List<Map<String, float[]>> expected = train(plain, options);
            List<Map<String, float[]>> found = train(cached, options.withFrozenStateCache(cache));
            List<Map<String, float[]>> bfloat16 = train(rounded, options);
            assertEquals(List.of(2L * 6 * states, 6L * states), List.of(cache.hits(), cache.misses()));
            for (int step = 0; step < expected.size(); step++) {
                for (Map.Entry<String, float[]> exact : expected.get(step).entrySet()) {
                    double error = GoldenCase.relativeError(exact.getValue(), found.get(step).get(exact.getKey()));
                    double limit = GoldenCase.relativeError(exact.getValue(), bfloat16.get(step).get(exact.getKey()));
                    assertTrue(error > 0 && error < limit, "step " + step + ", " + exact.getKey() + ": " + error + ", in bfloat16 " + limit);
                }
            }
        }
    }

    /** Three epochs of two batches by plain gradient descent: losses and gradients of every step, and the weights behind it. */
    private static List<Map<String, float[]>> train(StitchedModel model, PassOptions options) {
        List<int[][]> batches = List.of(TOKENS, TinyModels.tokens(4, 3, 21, 160));
        List<Map<String, float[]>> steps = new ArrayList<>();
        for (int step = 0; step < 6; step++) {
            Map<String, float[]> results = pass(model, batches.get(step % 2), 100 + step, options);
            Map<String, float[]> weights = TinyModels.values(model);
            weights.forEach((name, values) -> {
                float[] gradient = results.get(name);
                for (int i = 0; i < values.length; i++) {
                    values[i] -= 0.1f * gradient[i];
                }
            });
            TinyModels.set(model, weights);
            weights.forEach((name, values) -> results.put("after " + name, values));
            steps.add(results);
        }
        assertTrue(mean(steps.get(0)) - mean(steps.get(4)) > 0.02, "it trains: " + mean(steps.get(0)) + " to " + mean(steps.get(4)));
        return steps;
    }

    private static double mean(Map<String, float[]> results) {
        return TinyModels.mean(new float[][] {results.get("losses")});
    }

    /** What is known of the hub is not computed again: another state in its place gives another result. */
    @Test
    void theHubsLaterStatesAreTakenAsTheyAre() throws IOException {
        StitchConfig layout = StitchConfig.evenly(4, 4);
        try (StitchedModel model = open(layout, LoadOptions.defaults(), "hub", "code"); Streams streams = new Streams(model.models());
                NDManager scope = model.getNDManager().newSubManager(); Ropes ropes = streams.ropes(0, LENGTH + 1);
                StitchWeights weights = StitchWeights.of(scope, layout, 1, model.stitchTensors())) {
            FrozenStates.Pass pass = new FrozenStates.Pass(scope, streams, ropes, layout, TinyModels.ids(scope, TOKENS, 160));
            FrozenStates frozen = pass.run(PassOptions.DEFAULT, Attention.WHOLE);
            assertEquals(List.of(), frozen.hub());
            List<NDArray> hub = pass.stream(0);
            assertEquals(2, hub.size());
            assertEquals(1, pass.stream(1).size());
            assertArrayEquals(frozen.streams().get(0).toFloatArray(), hub.get(0).toFloatArray());
            float[] computed = suffix(pass, frozen.streams(), List.of(), weights.training());
            assertArrayEquals(computed, suffix(pass, frozen.streams(), hub.subList(1, 2), weights.training()));
            assertNotEquals(computed[0], suffix(pass, frozen.streams(), hub.subList(0, 1), weights.training())[0]);
        }
    }

    private static float[] suffix(FrozenStates.Pass pass, List<NDArray> streams, List<NDArray> hub, StitchWeights.Arguments weights) {
        return StitchedModel.KERNELS.suffix(pass.scope(), Autograd.OFF, streams, pass.streams().weights(), pass.ropes().tensors(), pass.ropes().rows(), hub,
                pass.config().kernelLayers(), pass.config().kernelKinds(), weights.gates().list(), weights.biases().list(), weights.projs().list(), 0, 0).toFloatArray();
    }
}
