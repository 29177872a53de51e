package io.github.bts4j.core.rows;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeBatch;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.KvCaches;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Decoding in Java against the golden logits, and the same bits whatever the number of threads and sessions. */
@EnabledIfSystemProperty(named = "bts4j.decode", matches = "scalar|vector")
class RowEngineTest {
    private static final LoadOptions FLOAT32 = LoadOptions.defaults().withPrecision(Precision.FLOAT32);

    static List<Path> cases() {
        return GoldenCase.llamaOfFixedFrequencies();
    }

    static Stream<Arguments> casesWithAndWithoutRepacking() {
        return cases().stream().flatMap(folder -> Stream.of(Arguments.of(folder, Repacking.NEVER), Arguments.of(folder, Repacking.ALWAYS)));
    }

    /** Token by token from an empty cache, so that libtorch computes nothing. */
    @ParameterizedTest(name = "{0}, repacking {1}")
    @MethodSource("casesWithAndWithoutRepacking")
    void goldenLogits(Path folder, Repacking repacking) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, FLOAT32.withRepacking(repacking))) {
            assertEquals(repacking == Repacking.ALWAYS, model.decoder().rows().orElseThrow().isRepacked());
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
    @ParameterizedTest(name = "{0}, repacking {1}")
    @MethodSource("casesWithAndWithoutRepacking")
    void goldenLogitsOfPrompts(Path folder, Repacking repacking) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, FLOAT32.withRepacking(repacking))) {
            float[] expected = golden.floats("logits");
            int[] ids = golden.ids("input_ids")[0];
            RowEngine<KvCaches> engine = engine(model, 2);
            for (int piece : new int[] {2, 3, 5, ids.length}) {
                try (KvCaches cache = KvCaches.of(List.of(model.decoder()), ids.length)) {
                    for (int start = 0; start < ids.length; start += piece) {
                        int end = Math.min(ids.length, start + piece);
                        float[] logits = engine.decode(DecodeBatch.ofPrompt(Arrays.copyOfRange(ids, start, end), start, cache))[0];
                        int at = (end - 1) * model.vocabSize();
                        GoldenCase.assertClose("logits " + end + " by " + piece, Arrays.copyOfRange(expected, at, at + model.vocabSize()), logits,
                                Tolerance.of(model.config(), ids.length, Precision.FLOAT32).of(expected));
                    }
                }
            }
        }
    }

    private static RowEngine<KvCaches> engine(LlamaModel model, int threads) {
        RowDecoder decoder = model.decoder().rows().orElseThrow();
        return new RowEngine<>(List.of(decoder), KvCaches::rows, (share, steps) -> decoder.layers(share, steps.get(0), 0, model.config().numLayers()),
                new WorkerTeam(threads), new ParallelismTuner());
    }

    @Test
    void aPromptsLogitsAreThoseOfItsTokensOneByOne() throws IOException {
        for (Precision precision : List.of(Precision.FLOAT32, Precision.BFLOAT16)) {
            for (Repacking repacking : List.of(Repacking.NEVER, Repacking.ALWAYS)) {
                try (LlamaModel model = LlamaModel.open(cases().get(0), LoadOptions.defaults().withPrecision(precision).withRepacking(repacking));
                        DecodeSession whole = model.newSession(32); DecodeSession single = model.newSession(32)) {
                    int[] prompt = {5, 6, 7, 8, 9, 10, 11};
                    float[] expected = null;
                    for (int token : prompt) {
                        expected = single.append(token);
                    }
                    assertArrayEquals(expected, whole.append(prompt), precision + ", repacking " + repacking);
                    assertArrayEquals(single.append(12), whole.append(12), "what the caches hold");
                }
            }
        }
    }

    @Test
    void repackingThatCannotBeDoneIsRefused() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                () -> LlamaModel.open(cases().get(0), LoadOptions.defaults().withPrecision(Precision.FLOAT16).withRepacking(Repacking.ALWAYS)).close());
        assertTrue(e.getMessage().startsWith("repacking = ALWAYS") && e.getMessage().contains("FLOAT16"), e.getMessage());
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
            for (Repacking repacking : List.of(Repacking.NEVER, Repacking.ALWAYS)) {
                try (LlamaModel model = LlamaModel.open(cases().get(0), LoadOptions.defaults().withPrecision(precision).withRepacking(repacking))) {
                    float[][] alone = decoded(model, 1, 1);
                    for (int threads : new int[] {2, 3, 7}) {
                        assertArrayEquals(alone, decoded(model, threads, 1), threads + " threads");
                    }
                    float[][] together = decoded(model, 2, 6);
                    assertArrayEquals(alone[0], together[3], "six sessions");
                }
            }
        }
    }

    /** Logits after five tokens; session s begins with s other tokens, but session 3 does not. */
    private static float[][] decoded(LlamaModel model, int threads, int sessions) {
        RowEngine<KvCaches> engine = engine(model, threads);
        List<KvCaches> caches = Stream.generate(() -> KvCaches.of(List.of(model.decoder()), 16)).limit(sessions).toList();
        float[][] logits = null;
        for (int t = 0; t < 5; t++) {
            int[] tokens = new int[sessions];
            int[] lengths = new int[sessions];
            int time = t;
            Arrays.setAll(tokens, s -> s == 3 ? 7 + time : 7 + time + s);
            Arrays.fill(lengths, t);
            logits = engine.decode(new DecodeBatch<>(tokens, lengths, caches));
        }
        caches.forEach(KvCaches::close);
        return logits;
    }
}
