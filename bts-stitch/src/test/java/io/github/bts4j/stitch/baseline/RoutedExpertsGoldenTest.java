package io.github.bts4j.stitch.baseline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Expert routing against values computed by transformers and PyTorch (src-test-data/tools/routing_golden.py). */
class RoutedExpertsGoldenTest {
    private static final JsonNode PASS = Routing.GOLDEN.get("pass");
    private static final Tolerance ROUTER = Tolerance.ofSums(41 + 48, 10); // a mean over a prefix, products over the hidden size, a softmax
    private static final double LARGEST_SCORE = IntStream.range(0, 8).mapToObj(row -> Routing.floats(PASS.get("logits").get(row))).mapToDouble(row -> Math.max(Math.abs(row[0]), Math.abs(row[1]))).max().orElseThrow();

    private RoutedExperts routed;

    private Tolerance tolerance;

    @BeforeEach
    void open() throws IOException {
        routed = Routing.open();
        tolerance = Tolerance.of(routed.models().get(0).config(), 41, Precision.FLOAT32);
    }

    @AfterEach
    void close() {
        routed.close();
    }

    private static int[][] prefixes() {
        int[][] tokens = Routing.tokens(8);
        int[] lengths = Routing.ints(PASS.get("prefixes"));
        return IntStream.range(0, 8).mapToObj(row -> Arrays.copyOf(tokens[row], lengths[row])).toArray(int[][]::new);
    }

    @Test
    void theRouteIsASoftmaxOverTheModels() {
        int[][] prefixes = prefixes();
        for (int row = 0; row < prefixes.length; row++) {
            float[] expected = Routing.floats(PASS.get("probabilities").get(row));
            GoldenCase.assertClose("row " + row, expected, routed.route(prefixes[row]), ROUTER.of(1) * 2 * LARGEST_SCORE);
            assertEquals(Router.largest(expected), routed.choose(prefixes[row]));
        }
    }

    @Test
    void aRouterOverRoundedEmbeddingsChoosesAlmostTheSame() throws IOException {
        try (RoutedExperts rounded = Routing.open(Routing.root().resolve("bts-3x4"), LoadOptions.defaults().withPrecision(Precision.BFLOAT16))) {
            GoldenCase.assertClose("bfloat16", Routing.floats(PASS.get("probabilities").get(3)), rounded.route(prefixes()[3]), Tolerance.of(rounded.models().get(0).config(), 41, Precision.BFLOAT16).of(1)); // of probabilities
        }
    }

    @Test
    void theTargetIsTheModelWithTheLowestLoss() {
        int[][] tokens = Routing.tokens(20);
        assertArrayEquals(Routing.ints(Routing.GOLDEN.get("targets")), routed.bestModels(tokens));
        for (int i = 0; i < 3; i++) {
            float[][] losses = routed.models().get(i).tokenLosses(tokens);
            for (int row = 0; row < tokens.length; row++) {
                double mean = 0;
                for (float loss : losses[row]) {
                    mean += loss / 40.0;
                }
                assertEquals(Routing.GOLDEN.get("mean_losses").get(row).get(i).asDouble(), mean, tolerance.ofLosses(losses[row]), "model " + i + ", row " + row);
            }
        }
    }

    /** The gradient is a sum of means of embeddings, each times a probability that is off by as much as {@link #theRouteIsASoftmaxOverTheModels} says. */
    private static double gradientTolerance() {
        return ROUTER.of(1) * 2 * LARGEST_SCORE * largest(Routing.floats(PASS.get("gradient")));
    }

    private static double largest(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> Math.abs(values[i])).max().orElseThrow();
    }

    @Test
    void crossEntropiesAndTheirGradientAreThoseOfPyTorch() {
        NDArray weight = routed.routerTensors().get("router.weight");
        int[] targets = Arrays.copyOf(Routing.ints(Routing.GOLDEN.get("targets")), 8);
        assertThrows(IllegalStateException.class, () -> routed.accumulateGradients(prefixes(), targets, 1f));
        weight.setRequiresGradient(true);
        GoldenCase.assertClose("losses", Routing.floats(PASS.get("losses")), routed.accumulateGradients(prefixes(), targets, 1 / 8f), ROUTER.ofLosses(Routing.floats(PASS.get("losses"))));
        try (NDArray gradient = weight.getGradient()) {
            GoldenCase.assertClose("gradient", Routing.floats(PASS.get("gradient")), gradient.toFloatArray(), gradientTolerance());
        }
        routed.accumulateGradients(prefixes(), targets, 1 / 8f);
        try (NDArray twice = weight.getGradient()) {
            float[] expected = Routing.floats(PASS.get("gradient"));
            for (int i = 0; i < expected.length; i++) {
                expected[i] *= 2;
            }
            GoldenCase.assertClose("two passes", expected, twice.toFloatArray(), 2 * gradientTolerance());
        }
    }

    @Test
    void lossesAreTheSeedsAndThenTheChosenModels() {
        int[][] tokens = Routing.tokens(6);
        for (JsonNode golden : Routing.GOLDEN.get("routed")) {
            int t = golden.get("decision_tokens").asInt();
            try (RoutedExperts view = routed.withDecisionTokens(t)) {
                float[][] losses = view.tokenLosses(tokens);
                assertTrue(IntStream.of(Routing.ints(golden.get("chosen"))).distinct().count() > 1);
                for (int row = 0; row < tokens.length; row++) {
                    assertEquals(golden.get("chosen").get(row).asInt(), view.choose(Arrays.copyOf(tokens[row], t)));
                    tolerance.assertLossesClose("t = " + t + ", row " + row, Routing.floats(golden.get("losses").get(row)), losses[row]);
                }
                assertForwardAgrees(view, tokens, golden);
            }
        }
        assertEquals(32, routed.decisionTokens(), "the default");
    }

    private void assertForwardAgrees(RoutedExperts view, int[][] tokens, JsonNode golden) {
        try (NDManager scope = Torch.manager().newSubManager()) {
            NDArray logits = view.forward(TokenBatch.tensor(scope, tokens, 0, 40, view.vocabSize()));
            float[] logProbs = logits.logSoftmax(-1).toFloatArray();
            for (int row = 0; row < tokens.length; row++) {
                for (int t = 0; t < 40; t++) {
                    double loss = -logProbs[(row * 40 + t) * view.vocabSize() + tokens[row][t + 1]];
                    assertEquals(golden.get("losses").get(row).get(t).asDouble(), loss, tolerance.ofLosses((float) loss), "row " + row + ", position " + t);
                }
            }
        }
    }

    @Test
    void aPromptIsAnsweredByTheModelItGoesTo() {
        JsonNode golden = Routing.GOLDEN.get("greedy");
        int[] prompt = Routing.ints(golden.get("prompt"));
        assertEquals(golden.get("chosen").asInt(), routed.choose(prompt));
        int[] expected = Routing.ints(golden.get("tokens"));
        try (DecodeSession session = routed.newSession(prompt.length + expected.length)) {
            float[] logits = session.append(prompt);
            for (int token : expected) {
                assertEquals(token, Router.largest(logits));
                logits = session.append(token);
            }
        }
    }
}
