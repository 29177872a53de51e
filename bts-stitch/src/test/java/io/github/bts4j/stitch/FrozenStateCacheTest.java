package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.LockedException;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.core.torch.llama.Ropes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The cache of what no training changes: same losses and gradients, and never those of something else. */
class FrozenStateCacheTest {
    private static final int[][] TOKENS = TinyModels.tokens(3, 3, 21, 160);
    private static final StitchConfig CONFIG = StitchConfig.evenly(4, 2).withDropout(0);
    private static final int LENGTH = TOKENS[0].length - 1;

    @TempDir
    private Path folder;

    private static StitchedModel open(Precision precision, String... models) throws IOException {
        return open(CONFIG, LoadOptions.defaults().withPrecision(precision), models);
    }

    private static StitchedModel open(StitchConfig config, LoadOptions options, String... models) throws IOException {
        return TinyModels.disturbed(TinyModels.open(TinyModels.golden("bts-3x4"), config, options, models), 5);
    }

    private static Map<String, float[]> pass(StitchedModel model, int[][] tokens, Optional<FrozenStateCache> cache) {
        return pass(model, tokens, 0, cache.map(PassOptions.DEFAULT::withFrozenStateCache).orElse(PassOptions.DEFAULT));
    }

    private static Map<String, float[]> pass(StitchedModel model, int[][] tokens, long seed, PassOptions options) {
        Map<String, NDArray> tensors = model.stitchTensors();
        tensors.values().forEach(tensor -> tensor.setRequiresGradient(true));
        float[] losses = model.accumulateGradients(tokens, 1f / (tokens.length * LENGTH), seed, options);
        Map<String, float[]> results = new LinkedHashMap<>(Map.of("losses", losses));
        tensors.forEach((name, tensor) -> {
            try (NDArray gradient = tensor.getGradient()) {
                results.put(name, gradient.toFloatArray());
                gradient.subi(gradient); // the next pass begins with none
            }
        });
        return results;
    }

    private static void assertSame(Map<String, float[]> expected, Map<String, float[]> found) {
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach((name, values) -> assertArrayEquals(values, found.get(name), name));
    }

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

    private static void assertSame(List<Map<String, float[]>> expected, List<Map<String, float[]>> found) {
        for (int step = 0; step < expected.size(); step++) {
            assertSame(expected.get(step), found.get(step));
        }
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

    @Test
    void anotherLayoutMeetsStatesOfTheSameDepthOnly() throws IOException {
        LoadOptions half = LoadOptions.defaults().withPrecision(Precision.BFLOAT16);
        try (FrozenStateCache cache = FrozenStateCache.open(folder)) {
            long[][] hitsAndMisses = {{0, 9}, {6, 9}, {6, 18}, {12, 18}, {21, 18}};
            List<StitchConfig> layouts = List.of(CONFIG, CONFIG.withAlternating(false), StitchConfig.at(List.of(1, 4)), StitchConfig.at(List.of(2, 3, 4)),
                    StitchConfig.at(List.of(1, 2, 3, 4)));
            for (int i = 0; i < layouts.size(); i++) {
                try (StitchedModel model = open(layouts.get(i).withDropout(0), half, "hub", "code")) {
                    assertSame(pass(model, TOKENS, Optional.empty()), pass(model, TOKENS, Optional.of(cache)));
                    assertEquals(Arrays.stream(hitsAndMisses[i]).boxed().toList(), List.of(cache.hits(), cache.misses()), layouts.get(i).toString());
                }
            }
        }
    }

    @Test
    void expertsComeAndGo() throws IOException {
        try (StitchedModel model = open(Precision.BFLOAT16, "hub", "code", "math"); FrozenStateCache cache = FrozenStateCache.open(folder)) {
            pass(model, TOKENS, Optional.of(cache));
            model.removeExpert("math");
            assertSame(pass(model, TOKENS, Optional.empty()), pass(model, TOKENS, Optional.of(cache)));
            assertEquals(List.of(9L, 12L), List.of(cache.hits(), cache.misses()));
            model.addExpert("math again", TinyModels.golden("bts-3x4").resolve("math"));
            assertSame(pass(model, TOKENS, Optional.empty()), pass(model, TOKENS, Optional.of(cache)));
            assertEquals(List.of(21L, 12L), List.of(cache.hits(), cache.misses()));
        }
    }

    @Test
    void int8WeightsHaveStatesOfTheirOwn() throws IOException {
        LoadOptions half = LoadOptions.defaults().withPrecision(Precision.BFLOAT16);
        try (FrozenStateCache cache = FrozenStateCache.open(folder)) {
            for (LoadOptions options : List.of(half, half.withQuantization(Quantization.INT8))) {
                try (StitchedModel model = open(CONFIG, options, "hub", "code")) {
                    long hits = cache.hits();
                    Map<String, float[]> expected = pass(model, TOKENS, Optional.empty());
                    assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                    assertEquals(hits, cache.hits());
                    assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                    assertEquals(hits + 9, cache.hits());
                }
            }
        }
    }

    @Test
    void aValidationReadsWhatItMetBefore() throws IOException {
        try (StitchedModel model = open(Precision.BFLOAT16, "hub", "code"); FrozenStateCache cache = FrozenStateCache.open(folder)) {
            assertArrayEquals(model.tokenLosses(TOKENS), model.tokenLosses(TOKENS, cache));
            TinyModels.disturbed(model, 6);
            assertArrayEquals(model.tokenLosses(TOKENS), model.tokenLosses(TOKENS, cache));
            assertEquals(List.of(9L, 9L), List.of(cache.hits(), cache.misses()));
        }
    }

    @Test
    void halfPrecisionStatesGiveTheSameBitsComputedReadAndReadByAnotherProcess() throws IOException {
        try (StitchedModel model = open(Precision.BFLOAT16, "hub", "code", "math")) {
            Map<String, float[]> expected = pass(model, TOKENS, Optional.empty());
            try (FrozenStateCache cache = FrozenStateCache.open(folder)) {
                assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                assertEquals(List.of(0L, 12L), List.of(cache.hits(), cache.misses()));
                assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                assertEquals(List.of(12L, 12L), List.of(cache.hits(), cache.misses()));
            }
            try (FrozenStateCache cache = FrozenStateCache.open(folder)) {
                assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                assertEquals(List.of(12L, 0L), List.of(cache.hits(), cache.misses()));
            }
        }
        assertEquals(3L * 4 * LENGTH * 48 * 2, sizes(".states"), "sequences, states, tokens, hidden, bytes");
    }

    @Test
    void float32StatesAreRoundedAlikeWhetherComputedOrRead() throws IOException {
        try (StitchedModel model = open(Precision.FLOAT32, "hub", "code"); FrozenStateCache cache = FrozenStateCache.open(folder)) {
            Map<String, float[]> exact = pass(model, TOKENS, Optional.empty());
            Map<String, float[]> computed = pass(model, TOKENS, Optional.of(cache));
            assertSame(computed, pass(model, TOKENS, Optional.of(cache)));
            assertEquals(9, cache.hits());
            assertArrayEquals(exact.get("losses"), computed.get("losses"), 0.03f, "within bfloat16's rounding");
        }
    }

    @Test
    void anotherExpertIsComputedAndTheOthersAreRead() throws IOException {
        try (FrozenStateCache cache = FrozenStateCache.open(folder)) {
            try (StitchedModel model = open(Precision.BFLOAT16, "hub", "code")) {
                pass(model, TOKENS, Optional.of(cache));
            }
            try (StitchedModel model = open(Precision.BFLOAT16, "hub", "math")) {
                Map<String, float[]> expected = pass(model, TOKENS, Optional.empty());
                assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                assertEquals(List.of(6L, 12L), List.of(cache.hits(), cache.misses()), "the hub's states were there");
            }
        }
    }

    @Test
    void nothingOfOtherTokensLayersOrPrecisionIsRead() throws IOException {
        int[][] other = TinyModels.tokens(4, 3, 21, 160);
        other[0] = TOKENS[0];
        try (FrozenStateCache cache = FrozenStateCache.open(folder)) {
            try (StitchedModel model = open(Precision.BFLOAT16, "hub", "code")) {
                pass(model, TOKENS, Optional.of(cache));
                assertSame(pass(model, other, Optional.empty()), pass(model, other, Optional.of(cache)));
                assertEquals(0, cache.hits(), "two of three rows were new");
            }
            try (StitchedModel model = open(Precision.FLOAT32, "hub", "code")) {
                pass(model, TOKENS, Optional.of(cache));
            }
            try (StitchedModel model = TinyModels.open(TinyModels.golden("bts-3x4"), StitchConfig.evenly(4, 4).withDropout(0),
                    LoadOptions.defaults().withPrecision(Precision.BFLOAT16), "hub", "code")) {
                assertSame(pass(model, TOKENS, Optional.empty()), pass(model, TOKENS, Optional.of(cache)));
            }
            assertEquals(0, cache.hits());
        }
    }

    @Test
    void aDamagedStateIsComputedAgainAndAHalfWrittenOneIsWrittenOver() throws IOException {
        try (StitchedModel model = open(Precision.BFLOAT16, "hub", "code")) {
            Map<String, float[]> expected = pass(model, TOKENS, Optional.empty());
            try (FrozenStateCache cache = FrozenStateCache.open(folder)) {
                pass(model, TOKENS, Optional.of(cache));
            }
            for (Path damaged : files(".states")) {
                byte[] bytes = Files.readAllBytes(damaged);
                bytes[100] ^= 1;
                Files.write(damaged, bytes);
                assertComputedAgain(model, expected);
                Files.write(damaged, new byte[0], StandardOpenOption.TRUNCATE_EXISTING);
                assertComputedAgain(model, expected);
            }
            for (Path damaged : files(".index")) {
                byte[] index = Files.readAllBytes(damaged);
                index[10] ^= 1; // another model's name
                Files.write(damaged, index);
                assertComputedAgain(model, expected);
                Files.write(damaged, new byte[7], StandardOpenOption.APPEND);
                try (FrozenStateCache cache = FrozenStateCache.open(folder)) {
                    assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                    assertEquals(9, cache.hits());
                }
            }
        }
    }

    /** One store has lost its states: those of its model are computed again, and then all are there. */
    private void assertComputedAgain(StitchedModel model, Map<String, float[]> expected) throws IOException {
        try (FrozenStateCache cache = FrozenStateCache.open(folder)) {
            assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
            assertTrue(List.of(List.of(3L, 6L), List.of(6L, 3L)).contains(List.of(cache.hits(), cache.misses())), "the hub's two states, or the expert's one");
            assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
            assertEquals(9, cache.hits() + cache.misses() - 9);
            assertTrue(cache.misses() <= 6, "nothing is computed a second time");
        }
    }

    @Test
    void aFullCacheStoresNoMoreAndTrainingGoesOn() throws IOException {
        try (StitchedModel model = open(Precision.BFLOAT16, "hub", "code"); FrozenStateCache cache = FrozenStateCache.open(folder, 3L * 3 * LENGTH * 48 * 2)) {
            int[][] other = TinyModels.tokens(4, 3, 21, 160);
            pass(model, TOKENS, Optional.of(cache));
            assertSame(pass(model, other, Optional.empty()), pass(model, other, Optional.of(cache)));
            assertSame(pass(model, other, Optional.empty()), pass(model, other, Optional.of(cache)));
            assertEquals(0, cache.hits());
            pass(model, TOKENS, Optional.of(cache));
            assertEquals(9, cache.hits());
        }
    }

    @Test
    void aSecondUserIsRefused() throws IOException {
        try (FrozenStateCache cache = FrozenStateCache.open(folder)) {
            assertEquals(0, cache.hits());
            assertTrue(assertThrows(LockedException.class, () -> FrozenStateCache.open(folder)).getMessage().contains("is open already"));
        }
        FrozenStateCache.open(folder).close();
    }

    private List<Path> files(String ending) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
        }
    }

    private long sizes(String ending) throws IOException {
        long sum = 0;
        for (Path file : files(ending)) {
            sum += Files.size(file);
        }
        return sum;
    }

    /** A device that is always full. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDiskIsToldWithTheFile() throws IOException {
        Path full = Path.of("/dev/full");
        try (NamedChannel channel = NamedChannel.open(full)) {
            String message = assertThrows(IOException.class, () -> channel.writeFully(ByteBuffer.allocate(8), 0)).getMessage();
            assertEquals("/dev/full: No space left on device", message);
        }
    }
}
