package io.github.bts4j.stitch.baseline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.Member;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What routed experts promise for any router and any text. */
class RoutedExpertsTest {
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

    private static float[] logits(RoutedExperts model, int[][] tokens) {
        try (NDManager scope = Torch.manager().newSubManager()) {
            return model.forward(TokenBatch.tensor(scope, tokens, 0, tokens[0].length, model.vocabSize())).toFloatArray();
        }
    }

    private static int[] position(int[] tokens, int t, int replacement) {
        int[] changed = tokens.clone();
        changed[t] = replacement;
        return changed;
    }

    @Test
    void anUntrainedRouterSendsEverythingToTheSeed() {
        Routing.set(routed, new float[3 * 48]);
        int[][] tokens = Routing.tokens(3);
        assertArrayEquals(new float[] {1 / 3f, 1 / 3f, 1 / 3f}, routed.route(tokens[0]), 1e-6f);
        assertEquals(0, routed.choose(tokens[0]));
        float[][] seed = routed.models().get(0).tokenLosses(tokens);
        try (RoutedExperts early = routed.withDecisionTokens(3)) {
            assertArrayEquals(seed, early.tokenLosses(tokens));
        }
    }

    @Test
    void aTextOfTheDecisionsLengthOrLessIsTheSeeds() {
        int[][] tokens = Routing.tokens(6);
        int[][] seed = Arrays.stream(tokens).map(row -> Arrays.copyOf(row, 12)).toArray(int[][]::new);
        float[][] expected = routed.models().get(0).tokenLosses(seed);
        for (int t : new int[] {12, 13, 500}) {
            try (RoutedExperts late = routed.withDecisionTokens(t)) {
                assertArrayEquals(expected, late.tokenLosses(seed), "t = " + t);
            }
        }
        try (RoutedExperts early = routed.withDecisionTokens(11)) {
            float[][] found = early.tokenLosses(seed);
            for (int row = 0; row < found.length; row++) {
                int model = routed.choose(Arrays.copyOf(seed[row], 11));
                float last = routed.models().get(model).tokenLosses(new int[][] {seed[row]})[0][10];
                assertEquals(last, found[row][10], tolerance.ofLosses(found[row]));
                assertArrayEquals(Arrays.copyOf(expected[row], 10), Arrays.copyOf(found[row], 10), (float) tolerance.ofLosses(found[row]));
            }
        }
    }

    /** Changing a token changes nothing before it, the route included. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7})
    void laterTokensChangeNothingBefore(int decision) {
        int[] text = Arrays.copyOf(Routing.tokens(2)[1], 14);
        int vocab = routed.vocabSize();
        SplittableRandom random = new SplittableRandom(decision);
        try (RoutedExperts view = routed.withDecisionTokens(decision)) {
            float[] before = logits(view, new int[][] {text});
            for (int t = 1; t < text.length; t++) {
                float[] after = logits(view, new int[][] {position(text, t, random.nextInt(vocab))});
                tolerance.assertClose("before " + t, Arrays.copyOf(before, t * vocab), Arrays.copyOf(after, t * vocab));
                float[] shorter = logits(view, new int[][] {Arrays.copyOf(text, t)});
                tolerance.assertClose("the first " + t, Arrays.copyOf(before, t * vocab), shorter);
            }
        }
    }

    @Test
    void aRowDoesNotDependOnItsNeighbours() {
        int[][] tokens = Routing.tokens(6);
        int row = 41 * routed.vocabSize();
        try (RoutedExperts view = routed.withDecisionTokens(5)) {
            float[] together = logits(view, tokens);
            float[][] losses = view.tokenLosses(tokens);
            for (int i = 0; i < tokens.length; i++) {
                tolerance.assertClose("row " + i, logits(view, new int[][] {tokens[i]}), Arrays.copyOfRange(together, i * row, (i + 1) * row));
                tolerance.assertLossesClose("losses " + i, view.tokenLosses(new int[][] {tokens[i]})[0], losses[i]);
            }
        }
    }

    /** A prompt of t tokens, decoded through a session, is what the forward pass computes when it decides after t tokens. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 9})
    void cachedDecodingIsTheForwardPassThatDecidesAfterThePrompt(int prompt) {
        int vocab = routed.vocabSize();
        for (int[] text : Routing.tokens(6)) {
            try (RoutedExperts view = routed.withDecisionTokens(prompt); DecodeSession session = routed.newSession(text.length)) {
                float[] expected = logits(view, new int[][] {text});
                float[] found = session.append(Arrays.copyOf(text, prompt));
                for (int t = prompt; t <= text.length; t++) {
                    tolerance.assertClose("token " + t, Arrays.copyOfRange(expected, (t - 1) * vocab, t * vocab), found);
                    assertEquals(t, session.length());
                    found = t == text.length ? found : session.append(text[t]);
                }
            }
        }
    }

    @Test
    void sessionsOfDifferentModelsDecodeTogether() {
        int[][] tokens = Routing.tokens(6);
        List<DecodeSession> together = new ArrayList<>();
        List<DecodeSession> alone = new ArrayList<>();
        for (int i = 0; i < tokens.length; i++) {
            together.add(routed.newSession(20));
            alone.add(routed.newSession(20));
            if (i != 4) { // whose first token comes with the others' next ones
                together.get(i).append(Arrays.copyOf(tokens[i], 3 + i));
                alone.get(i).append(Arrays.copyOf(tokens[i], 3 + i));
            }
        }
        assertTrue(IntStream.range(0, 6).filter(i -> i != 4).map(i -> routed.choose(Arrays.copyOf(tokens[i], 3 + i))).distinct().count() > 1);
        for (int t = 10; t < 15; t++) {
            int at = t;
            int[] next = Arrays.stream(tokens).mapToInt(row -> row[at]).toArray();
            float[][] found = routed.appendEach(together, next);
            for (int i = 0; i < next.length; i++) {
                tolerance.assertClose("session " + i, alone.get(i).append(next[i]), found[i]);
                assertEquals(alone.get(i).length(), together.get(i).length());
            }
        }
        assertAppendEachRefuses(together);
        together.forEach(DecodeSession::close);
        alone.forEach(DecodeSession::close);
        assertThrows(IllegalStateException.class, () -> routed.appendEach(together.subList(0, 1), new int[] {1}));
    }

    private void assertAppendEachRefuses(List<DecodeSession> sessions) {
        int[] lengths = sessions.stream().mapToInt(DecodeSession::length).toArray();
        try (DecodeSession foreign = routed.models().get(0).newSession(4); DecodeSession full = routed.newSession(1)) {
            full.append(3);
            List<List<DecodeSession>> lists = List.of(List.of(), List.of(sessions.get(0), sessions.get(0)), List.of(sessions.get(0), foreign),
                    List.of(sessions.get(0), full));
            for (List<DecodeSession> list : lists) {
                assertThrows(IllegalArgumentException.class, () -> routed.appendEach(list, new int[list.size()]));
            }
            assertThrows(IllegalArgumentException.class, () -> routed.appendEach(sessions.subList(0, 2), new int[] {1, 160}));
        }
        assertArrayEquals(lengths, sessions.stream().mapToInt(DecodeSession::length).toArray(), "all sessions are unchanged");
    }

    @Test
    void aSessionThatRefusedItsPromptTakesAnother() {
        DecodeSession session = routed.newSession(5);
        for (int[] prompt : new int[][] {{}, {1, 2, 3, 4, 5, 6}, {1, 160}, {-1}}) {
            assertThrows(IllegalArgumentException.class, () -> session.append(prompt));
            assertEquals(0, session.length());
        }
        assertEquals(5, session.capacity());
        assertEquals(160, session.append(1, 2).length);
        assertThrows(IllegalArgumentException.class, () -> session.append(1, 2, 3, 4));
        assertEquals(2, session.length());
        session.close();
        session.close();
        assertThrows(IllegalStateException.class, () -> session.append(1));
        assertThrows(IllegalArgumentException.class, () -> routed.newSession(257));
    }

    @Test
    void nothingIsLeftBehind() {
        int[][] tokens = Routing.tokens(4);
        routed.routerTensors().get("router.weight").setRequiresGradient(true);
        int[] counts = new int[3];
        for (int i = 0; i < counts.length; i++) {
            try (RoutedExperts view = routed.withDecisionTokens(4); DecodeSession session = view.newSession(9)) {
                view.tokenLosses(tokens);
                logits(view, tokens);
                session.append(1, 2, 3);
                routed.accumulateGradients(tokens, new int[] {0, 1, 2, 0}, 1f);
            }
            counts[i] = routed.routerTensors().get("router.weight").getManager().getManagedArrays().size() + routed.getNDManager().getManagedArrays().size();
        }
        assertArrayEquals(new int[] {1, 1, 1}, counts, "the router alone");
    }

    @Test
    void aViewSharesTheRouter() {
        int[] prompt = {5, 6, 7};
        try (RoutedExperts view = routed.withDecisionTokens(7)) {
            Routing.set(routed, new float[3 * 48]);
            assertArrayEquals(new float[] {1 / 3f, 1 / 3f, 1 / 3f}, view.route(prompt), 1e-6f);
            assertEquals(7, view.decisionTokens());
        }
        assertEquals(3, routed.route(prompt).length, "closing a view closes nothing else");
        String message = assertThrows(IllegalArgumentException.class, () -> routed.withDecisionTokens(0)).getMessage();
        assertEquals("decisionTokens = 0: it must be at least 1", message);
    }

    @Test
    void modelsOfTheCallersAreUsedAndLeftOpen() throws IOException {
        List<LlamaModel> models = routed.models();
        try (RoutedExperts shared = RoutedExperts.of(routed.members(), models)) {
            shared.setRouterTensors(routed.routerTensors());
            assertArrayEquals(logits(routed, Routing.tokens(2)), logits(shared, Routing.tokens(2)));
        }
        assertEquals(40, models.get(2).tokenLosses(Routing.tokens(1))[0].length);
        String message = assertThrows(IllegalArgumentException.class, () -> RoutedExperts.of(routed.members(), models.subList(0, 2))).getMessage();
        assertTrue(message.contains("3 names for 2 models"), message);
    }

    @Test
    void modelsThatDoNotFitAreRefusedTogether() {
        Member hub = routed.members().get(0);
        Member other = new Member("hub", Routing.root().resolve("llama2-mha"));
        String message = assertThrows(IllegalArgumentException.class, () -> RoutedExperts.open(List.of(hub, other), LoadOptions.defaults())).getMessage();
        assertTrue(message.startsWith("These models cannot be routed between: 2 problems:\n  - two models are called 'hub'")
                && message.contains("expert 'hub' has vocab_size = 256, the hub 'hub' has 160"), message);
        String alone = assertThrows(IllegalArgumentException.class, () -> RoutedExperts.open(List.of(hub), LoadOptions.defaults())).getMessage();
        assertTrue(alone.contains("at least one expert"), alone);
    }

    @Test
    void anotherModelsRouterIsRefused() {
        float[] before = routed.route(1, 2, 3);
        try (NDManager scope = Torch.manager().newSubManager()) {
            NDArray odd = Tensors.of(scope, new float[4 * 48], 4, 48);
            NDArray right = Tensors.of(scope, new float[3 * 48], 3, 48);
            String message = assertThrows(IllegalArgumentException.class, () -> routed.setRouterTensors(Map.of("router.weight", odd))).getMessage();
            assertTrue(message.contains("router.weight (4, 48)") && message.contains("needs router.weight (3, 48)"), message);
            assertThrows(IllegalArgumentException.class, () -> routed.setRouterTensors(Map.of()));
            assertThrows(IllegalArgumentException.class, () -> routed.setRouterTensors(Map.of("router.weight", right, "router.bias", odd)));
        }
        assertArrayEquals(before, routed.route(1, 2, 3));
    }

    @Test
    void badTargetsAndPrefixesAreRefused() {
        routed.routerTensors().get("router.weight").setRequiresGradient(true);
        int[][] prefixes = {{1, 2}, {3}};
        assertThrows(IllegalArgumentException.class, () -> routed.accumulateGradients(prefixes, new int[] {0}, 1f));
        assertThrows(IllegalArgumentException.class, () -> routed.accumulateGradients(prefixes, new int[] {0, 3}, 1f));
        assertThrows(IllegalArgumentException.class, () -> routed.accumulateGradients(new int[0][], new int[0], 1f));
        assertThrows(IllegalArgumentException.class, () -> routed.accumulateGradients(new int[][] {{}}, new int[] {0}, 1f));
        assertThrows(IllegalArgumentException.class, () -> routed.route());
        assertThrows(IllegalArgumentException.class, () -> routed.route(160));
        assertThrows(IllegalArgumentException.class, () -> routed.tokenLosses(new int[][] {{1}}));
        assertThrows(IllegalArgumentException.class, () -> routed.tokenLosses(new int[][] {{1, 2}, {1}}));
    }
}
