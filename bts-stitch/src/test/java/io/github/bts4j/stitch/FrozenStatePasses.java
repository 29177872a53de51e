package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Passes of a model whose frozen states may come from a cache, for tests. */
final class FrozenStatePasses {
    static final int[][] TOKENS = TinyModels.tokens(3, 3, 21, 160);
    static final StitchConfig CONFIG = StitchConfig.evenly(4, 2).withDropout(0);
    static final int LENGTH = TOKENS[0].length - 1;

    private FrozenStatePasses() {}

    static StitchedModel open(Precision precision, String... models) throws IOException {
        return open(CONFIG, LoadOptions.defaults().withPrecision(precision), models);
    }

    static StitchedModel open(StitchConfig config, LoadOptions options, String... models) throws IOException {
        return TinyModels.disturbed(TinyModels.open(TinyModels.golden("bts-3x4"), config, options, models), 5);
    }

    static Map<String, float[]> pass(StitchedModel model, int[][] tokens, Optional<FrozenStateCache> cache) {
        return pass(model, tokens, 0, cache.map(PassOptions.DEFAULT::withFrozenStateCache).orElse(PassOptions.DEFAULT));
    }

    static Map<String, float[]> pass(StitchedModel model, int[][] tokens, long seed, PassOptions options) {
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

    static void assertSame(Map<String, float[]> expected, Map<String, float[]> found) {
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach((name, values) -> assertArrayEquals(values, found.get(name), name));
    }

    static void assertSame(List<Map<String, float[]>> expected, List<Map<String, float[]>> found) {
        for (int step = 0; step < expected.size(); step++) {
            assertSame(expected.get(step), found.get(step));
        }
    }
}
