package io.github.bts4j.stitch;

import static io.github.bts4j.stitch.FrozenStatePasses.CONFIG;
import static io.github.bts4j.stitch.FrozenStatePasses.LENGTH;
import static io.github.bts4j.stitch.FrozenStatePasses.TOKENS;
import static io.github.bts4j.stitch.FrozenStatePasses.assertSame;
import static io.github.bts4j.stitch.FrozenStatePasses.open;
import static io.github.bts4j.stitch.FrozenStatePasses.pass;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.LockedException;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cache of what no training changes: same losses and gradients, and never those of something else. */
class FrozenStateCacheTest {
    @TempDir
    private Path folder;

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
}
