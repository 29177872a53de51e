package io.github.bts4j.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.KvCache;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.llama.LoadOptions;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.rows.Crew;
import io.github.bts4j.core.rows.RowCache;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.rows.RowMath;
import io.github.bts4j.core.rows.RowStep;
import io.github.bts4j.core.torch.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Decoding through rows against the golden logits, and the same bits whatever the number of threads and sessions. */
class RowDecodingTest {
    private static final LoadOptions FLOAT32 = LoadOptions.defaults().withPrecision(Precision.FLOAT32);

    static List<Path> cases() {
        return GoldenCase.llamaOfFixedFrequencies();
    }

    static Stream<Arguments> casesWithAndWithoutRepacking() {
        return cases().stream().flatMap(folder -> Stream.of(Arguments.of(folder, false), Arguments.of(folder, true)));
    }

    @Test
    void vectorsAreFoundHere() {
        assertEquals(VectorRowMath.class, RowMath.available().orElseThrow().getClass());
    }

    /** Token by token from an empty cache, so that libtorch computes nothing. */
    @ParameterizedTest(name = "{0}, repacked {1}")
    @MethodSource("casesWithAndWithoutRepacking")
    void goldenLogits(Path folder, boolean repack) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, FLOAT32.withRepacking(repack))) {
            assertEquals(repack, model.decoder().rows().orElseThrow().isRepacked());
            float[] expected = golden.floats("logits"); // [batch, sequence, vocabulary]
            int[][] ids = golden.ids("input_ids");
            int vocabulary = model.vocabSize();
            for (int row = 0; row < ids.length; row++) {
                try (DecodeSession session = model.newSession(ids[row].length)) {
                    for (int t = 0; t < ids[row].length; t++) {
                        int at = (row * ids[row].length + t) * vocabulary;
                        GoldenCase.assertClose("logits " + row + ", " + t, Arrays.copyOfRange(expected, at, at + vocabulary), session.append(ids[row][t]),
                                Tolerance.of(model.config(), ids[row].length, Precision.FLOAT32).of(expected));
                    }
                }
            }
        }
    }

    /** Several tokens at a time, in pieces of several lengths. */
    @ParameterizedTest(name = "{0}, repacked {1}")
    @MethodSource("casesWithAndWithoutRepacking")
    void goldenLogitsOfPrompts(Path folder, boolean repack) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, FLOAT32.withRepacking(repack))) {
            float[] expected = golden.floats("logits");
            int[] ids = golden.ids("input_ids")[0];
            RowDecoder decoder = model.decoder().rows().orElseThrow();
            for (int piece : new int[] {2, 3, 5, ids.length}) {
                try (KvCache cache = new KvCache(Torch.manager(), model.config(), model.type(), model.device(), ids.length, RowMath.available())) {
                    for (int start = 0; start < ids.length; start += piece) {
                        int end = Math.min(ids.length, start + piece);
                        float[][] state = decoder.embed(Arrays.copyOfRange(ids, start, end));
                        float[] logits = decoder.run(new Crew(2), RowStep.ofPrompt(state, start, cache.rows().orElseThrow()))[0];
                        int at = (end - 1) * model.vocabSize();
                        GoldenCase.assertClose("logits " + end + " by " + piece, Arrays.copyOfRange(expected, at, at + model.vocabSize()), logits,
                                Tolerance.of(model.config(), ids.length, Precision.FLOAT32).of(expected));
                    }
                }
            }
        }
    }

    @Test
    void aPromptsLogitsAreThoseOfItsTokensOneByOne() throws IOException {
        for (Precision precision : List.of(Precision.FLOAT32, Precision.BFLOAT16)) {
            for (boolean repack : new boolean[] {false, true}) {
                try (LlamaModel model = LlamaModel.open(cases().get(0), LoadOptions.defaults().withPrecision(precision).withRepacking(repack));
                        DecodeSession whole = model.newSession(32); DecodeSession single = model.newSession(32)) {
                    int[] prompt = {5, 6, 7, 8, 9, 10, 11};
                    float[] expected = null;
                    for (int token : prompt) {
                        expected = single.append(token);
                    }
                    assertArrayEquals(expected, whole.append(prompt), precision + ", repacked " + repack);
                    assertArrayEquals(single.append(12), whole.append(12), "what the caches hold");
                }
            }
        }
    }

    @Test
    void repackingThatCannotBeDoneIsRefused() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                () -> LlamaModel.open(cases().get(0), LoadOptions.defaults().withPrecision(Precision.FLOAT16).withRepacking(true)).close());
        assertTrue(e.getMessage().startsWith("repack = true") && e.getMessage().contains("FLOAT16"), e.getMessage());
    }

    /** bfloat16 rounds where libtorch does: as near to the golden logits as libtorch's own bfloat16 forward pass, but for a factor for other orders of summation. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void bfloat16IsAsNearToTheGoldenLogitsAsTheForwardPass(Path folder) throws IOException {
        LoadOptions options = LoadOptions.defaults().withPrecision(Precision.BFLOAT16);
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, options); NDManager scope = Torch.manager().newSubManager()) {
            int[] ids = golden.ids("input_ids")[0];
            float[] expected = Arrays.copyOf(golden.floats("logits"), ids.length * model.vocabSize());
            NDArray tokens = scope.create(Arrays.stream(ids).asLongStream().toArray()).expandDims(0);
            double forward = rootMeanSquare(expected, model.forward(tokens).toFloatArray());
            float[] decoded = new float[expected.length];
            try (DecodeSession session = model.newSession(ids.length)) {
                for (int t = 0; t < ids.length; t++) {
                    System.arraycopy(session.append(ids[t]), 0, decoded, t * model.vocabSize(), model.vocabSize());
                }
            }
            assertTrue(rootMeanSquare(expected, decoded) <= 1.5 * forward, rootMeanSquare(expected, decoded) + " by rows, " + forward + " forward");
        }
    }

    private static double rootMeanSquare(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
        }
        return Math.sqrt(sum / a.length);
    }

    @Test
    void logitsAreTheSameBitsForAnyNumberOfThreadsAndSessions() throws IOException {
        for (Precision precision : List.of(Precision.FLOAT32, Precision.BFLOAT16)) {
            for (boolean repack : new boolean[] {false, true}) {
                try (LlamaModel model = LlamaModel.open(cases().get(0), LoadOptions.defaults().withPrecision(precision).withRepacking(repack))) {
                    float[][] alone = decoded(model, new Crew(1), 1);
                    for (int threads : new int[] {2, 3, 7}) {
                        assertArrayEquals(alone, decoded(model, new Crew(threads), 1), threads + " threads");
                    }
                    float[][] together = decoded(model, new Crew(2), 6);
                    assertArrayEquals(alone[0], together[3], "six sessions");
                }
            }
        }
    }

    /** Logits after five tokens; session s begins with s other tokens, but session 3 does not. */
    private static float[][] decoded(LlamaModel model, Crew crew, int sessions) {
        RowDecoder decoder = model.decoder().rows().orElseThrow();
        KvCache[] caches = new KvCache[sessions];
        Arrays.setAll(caches, s -> new KvCache(Torch.manager(), model.config(), model.type(), model.device(), 16, RowMath.available()));
        float[][] logits = null;
        int[] lengths = new int[sessions];
        for (int t = 0; t < 5; t++) {
            int[] tokens = new int[sessions];
            int time = t;
            Arrays.setAll(tokens, s -> s == 3 ? 7 + time : 7 + time + s);
            RowCache[] rows = Arrays.stream(caches).map(cache -> cache.rows().orElseThrow()).toArray(RowCache[]::new);
            logits = decoder.run(crew, RowStep.ofSessions(decoder.embed(tokens), lengths.clone(), rows));
            Arrays.setAll(lengths, s -> lengths[s] + 1);
        }
        for (KvCache cache : caches) {
            cache.close();
        }
        return logits;
    }
}
