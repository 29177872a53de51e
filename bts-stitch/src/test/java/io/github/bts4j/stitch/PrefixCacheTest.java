package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.llama.LoadOptions;
import io.github.bts4j.core.llama.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cache of what no training changes: same losses and gradients, and never those of something else. */
class PrefixCacheTest {
    private static final int[][] TOKENS = TinyModels.tokens(3, 3, 21, 160);
    private static final StitchConfig CONFIG = StitchConfig.evenly(4, 2).withDropout(0);
    private static final int LENGTH = TOKENS[0].length - 1;

    @TempDir
    private Path folder;

    private static StitchedModel open(Precision precision, String... models) throws IOException {
        return TinyModels.disturbed(TinyModels.open(TinyModels.golden("bts-3x4"), CONFIG, LoadOptions.defaults().withPrecision(precision), models), 5);
    }

    private static Map<String, float[]> pass(StitchedModel model, int[][] tokens, Optional<PrefixCache> cache) {
        Map<String, NDArray> tensors = model.stitchTensors();
        tensors.values().forEach(tensor -> tensor.setRequiresGradient(true));
        float[] losses = model.accumulateGradients(tokens, 1f / (tokens.length * LENGTH), 0, cache.map(PassOptions.DEFAULT::withPrefixCache).orElse(PassOptions.DEFAULT));
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

    @Test
    void halfPrecisionStatesGiveTheSameBitsComputedReadAndReadByAnotherProcess() throws IOException {
        try (StitchedModel model = open(Precision.BFLOAT16, "hub", "code", "math")) {
            Map<String, float[]> expected = pass(model, TOKENS, Optional.empty());
            try (PrefixCache cache = PrefixCache.open(folder)) {
                assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                assertEquals(List.of(0L, 9L), List.of(cache.hits(), cache.misses()));
                assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                assertEquals(List.of(9L, 9L), List.of(cache.hits(), cache.misses()));
            }
            try (PrefixCache cache = PrefixCache.open(folder)) {
                assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                assertEquals(List.of(9L, 0L), List.of(cache.hits(), cache.misses()));
            }
        }
        assertEquals(3L * 3 * LENGTH * 48 * 2, sizes(".states"), "sequences, models, tokens, hidden, bytes");
    }

    @Test
    void float32StatesAreRoundedAlikeWhetherComputedOrRead() throws IOException {
        try (StitchedModel model = open(Precision.FLOAT32, "hub", "code"); PrefixCache cache = PrefixCache.open(folder)) {
            Map<String, float[]> exact = pass(model, TOKENS, Optional.empty());
            Map<String, float[]> computed = pass(model, TOKENS, Optional.of(cache));
            assertSame(computed, pass(model, TOKENS, Optional.of(cache)));
            assertEquals(6, cache.hits());
            assertArrayEquals(exact.get("losses"), computed.get("losses"), 0.03f, "within bfloat16's rounding");
        }
    }

    @Test
    void anotherExpertIsComputedAndTheOthersAreRead() throws IOException {
        try (PrefixCache cache = PrefixCache.open(folder)) {
            try (StitchedModel model = open(Precision.BFLOAT16, "hub", "code")) {
                pass(model, TOKENS, Optional.of(cache));
            }
            try (StitchedModel model = open(Precision.BFLOAT16, "hub", "math")) {
                Map<String, float[]> expected = pass(model, TOKENS, Optional.empty());
                assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                assertEquals(List.of(3L, 9L), List.of(cache.hits(), cache.misses()), "the hub's states were there");
            }
        }
    }

    @Test
    void nothingOfOtherTokensLayersOrPrecisionIsRead() throws IOException {
        int[][] other = TinyModels.tokens(4, 3, 21, 160);
        other[0] = TOKENS[0];
        try (PrefixCache cache = PrefixCache.open(folder)) {
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
            try (PrefixCache cache = PrefixCache.open(folder)) {
                pass(model, TOKENS, Optional.of(cache));
            }
            Path damaged = files(".states").get(0);
            byte[] bytes = Files.readAllBytes(damaged);
            bytes[100] ^= 1;
            Files.write(damaged, bytes);
            Path cut = files(".states").get(1);
            Files.write(cut, new byte[0], StandardOpenOption.TRUNCATE_EXISTING);
            try (PrefixCache cache = PrefixCache.open(folder)) {
                assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                assertEquals(0, cache.hits());
                assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                assertEquals(6, cache.hits());
            }
            Files.write(files(".index").get(0), new byte[7], StandardOpenOption.APPEND);
            byte[] index = Files.readAllBytes(files(".index").get(1));
            index[10] ^= 1; // another model's name
            Files.write(files(".index").get(1), index);
            try (PrefixCache cache = PrefixCache.open(folder)) {
                assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                assertEquals(List.of(3L, 3L), List.of(cache.hits(), cache.misses()));
                assertSame(expected, pass(model, TOKENS, Optional.of(cache)));
                assertEquals(9, cache.hits());
            }
        }
    }

    @Test
    void aFullCacheStoresNoMoreAndTrainingGoesOn() throws IOException {
        try (StitchedModel model = open(Precision.BFLOAT16, "hub", "code"); PrefixCache cache = PrefixCache.open(folder, 2L * 3 * LENGTH * 48 * 2)) {
            int[][] other = TinyModels.tokens(4, 3, 21, 160);
            pass(model, TOKENS, Optional.of(cache));
            assertSame(pass(model, other, Optional.empty()), pass(model, other, Optional.of(cache)));
            assertSame(pass(model, other, Optional.empty()), pass(model, other, Optional.of(cache)));
            assertEquals(0, cache.hits());
            pass(model, TOKENS, Optional.of(cache));
            assertEquals(6, cache.hits());
        }
    }

    @Test
    void aSecondUserIsRefused() throws IOException {
        try (PrefixCache cache = PrefixCache.open(folder)) {
            assertEquals(0, cache.hits());
            assertTrue(assertThrows(IllegalStateException.class, () -> PrefixCache.open(folder)).getMessage().contains("is open already"));
        }
        PrefixCache.open(folder).close();
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
}
