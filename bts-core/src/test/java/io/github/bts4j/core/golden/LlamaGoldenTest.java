package io.github.bts4j.core.golden;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The decoder against Hugging Face transformers, on every case in {@code -Dbts4j.golden}. */
class LlamaGoldenTest {
    private static final LoadOptions FLOAT32 = LoadOptions.defaults().withPrecision(Precision.FLOAT32);

    static List<Path> cases() {
        return GoldenCase.llama();
    }

    /** Without dynamic RoPE: there, the keys in the cache keep the frequencies of the length they were made at, in transformers too. */
    static List<Path> fixedFrequencies() {
        return GoldenCase.llamaOfFixedFrequencies();
    }

    private static boolean dependsOnLength(LlamaModel model) {
        return model.config().ropeScaling().dependsOnSequenceLength();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void logitsHiddenStatesAndLoss(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, FLOAT32)) {
            NDArray ids = golden.tensor("input_ids");
            Tolerance tolerance = Tolerance.of(model.config(), (int) ids.getShape().get(1), Precision.FLOAT32);
            tolerance.assertClose("logits", golden.floats("logits"), model.forward(ids).toFloatArray());
            List<NDArray> states = model.hiddenStates(ids);
            assertEquals(model.config().numLayers() + 1, states.size());
            for (int i = 0; i < states.size(); i++) {
                tolerance.assertClose("hidden." + i, golden.floats("hidden." + i), states.get(i).toFloatArray());
            }
            if (dependsOnLength(model)) {
                return; // the golden loss is over the whole sequence's frequencies, tokenLosses sees one token less
            }
            assertEquals(golden.floats("loss")[0], mean(model.tokenLosses(golden.ids("input_ids"))), tolerance.ofLosses(golden.floats("logits")));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void greedyTokensThroughTheKvCache(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, FLOAT32)) {
            int[] expected = golden.ids("greedy_ids")[0];
            assertArrayEquals(expected, GreedyTokens.after(model, Arrays.copyOf(expected, 9), expected.length));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("fixedFrequencies")
    void cachedDecodingEqualsTheFullForward(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, FLOAT32)) {
            int[] ids = golden.ids("input_ids")[0];
            float[] logits = golden.floats("logits");
            double tolerance = Tolerance.of(model.config(), ids.length, Precision.FLOAT32).of(logits);
            int vocab = model.vocabSize();
            try (DecodeSession session = model.newSession(ids.length)) {
                int at = 0;
                for (int piece : new int[] {17, 1, 1, 30, 2, 1, 47, 1}) { // prefill, single tokens and later pieces
                    float[] last = session.append(Arrays.copyOfRange(ids, at, at + piece));
                    at += piece;
                    GoldenCase.assertClose("after " + at, Arrays.copyOfRange(logits, (at - 1) * vocab, at * vocab), last, tolerance);
                }
                assertEquals(ids.length, at);
            }
        }
    }

    /** The kernels' bfloat16 is as near to float32 as roundings to eight bits let it be, on processors with and without instructions for it. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void bfloat16StaysNearTheReference(Path folder) throws IOException {
        assertNear(folder, LoadOptions.defaults().withPrecision(Precision.BFLOAT16));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void theStoredPrecisionRunsUnconverted(Path folder) throws IOException {
        assertNear(folder, LoadOptions.defaults());
    }

    private static void assertNear(Path folder, LoadOptions options) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); LlamaModel model = LlamaModel.open(folder, options)) {
            assertEquals(options.equals(LoadOptions.defaults()) ? model.config().dtype() : Precision.BFLOAT16, model.precision());
            NDArray ids = golden.tensor("input_ids");
            double error = GoldenCase.relativeError(golden.floats("logits"), model.forward(ids).toFloatArray());
            double tolerance = Tolerance.of(model.config(), (int) ids.getShape().get(1), model.precision()).ofNorm();
            assertTrue(error <= tolerance, model.precision() + ": relative error " + error + " > " + tolerance);
        }
    }

    private static double mean(float[][] losses) {
        double sum = 0;
        int count = 0;
        for (float[] row : losses) {
            for (float loss : row) {
                sum += loss;
                count++;
            }
        }
        return sum / count;
    }
}
