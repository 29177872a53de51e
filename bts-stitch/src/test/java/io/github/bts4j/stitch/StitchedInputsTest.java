package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.Batchifier;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.translate.TranslatorContext;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What reaches a model from outside: token ids, sessions and DJL's predictor; on a stitched model and on a Llama model alike. */
class StitchedInputsTest {
    private static final int VOCAB = 160;
    private static final int CONTEXT = 256;
    private static final int[][] TOKENS = TinyModels.tokens(4, 2, 12, VOCAB);
    private static StitchedModel stitched;

    @BeforeAll
    static void open() throws IOException {
        stitched = TinyModels.disturbed(TinyModels.open("bts-3x4", StitchConfig.evenly(4, 2), "hub", "code", "math"), 2);
    }

    @AfterAll
    static void close() {
        stitched.close();
    }

    private interface Check {
        void on(FrozenLm model) throws IOException;
    }

    private static void onBoth(Check check) throws IOException {
        check.on(stitched);
        check.on(stitched.models().get(0));
    }

    private static void assertRefused(String part, Executable call) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.contains(part), "'" + part + "' is not in: " + message);
    }

    private static NDArray ids(NDManager manager, long... ids) {
        return manager.create(ids, new Shape(1, ids.length));
    }

    @Test
    void tokenIdsOutsideTheVocabularyAreRefused() throws IOException {
        onBoth(model -> {
            try (NDManager scope = Torch.manager().newSubManager()) {
                for (long wrong : new long[] {-1, VOCAB, Long.MAX_VALUE, Long.MIN_VALUE}) {
                    assertRefused("Token id " + wrong + " at row 0, position 2 is outside [0, 160)",
                            () -> model.forward(ids(scope, 1, 2, wrong, 3)));
                }
                assertRefused("Token id 160 at row 1, position 1", () -> model.tokenLosses(new int[][] {{1, 2, 3}, {1, 160, 3}}));
                assertRefused("Token id -7 at row 0, position 2", () -> model.tokenLosses(new int[][] {{1, 2, -7}}));
            }
        });
        try (NDManager scope = Torch.manager().newSubManager()) {
            assertRefused("Token id 160 at row 0, position 0", () -> stitched.gates(ids(scope, VOCAB), 0));
        }
        assertRefused("Token id 200 at row 0, position 1", () -> stitched.accumulateGradients(new int[][] {{1, 200}}, 1, 0));
    }

    @Test
    void tensorsOfAnotherShapeOrTypeAreRefused() throws IOException {
        onBoth(model -> {
            try (NDManager scope = Torch.manager().newSubManager()) {
                assertRefused("int64 [batch, sequence]", () -> model.forward(scope.create(new long[] {1, 2})));
                assertRefused("int64 [batch, sequence]", () -> model.forward(scope.create(new int[][] {{1, 2}})));
                assertRefused("int64 [batch, sequence]", () -> model.forward(scope.create(new float[][] {{1, 2}})));
                assertRefused("at least one token", () -> model.forward(scope.create(new long[0], new Shape(1, 0))));
            }
        });
        try (NDManager scope = Torch.manager().newSubManager()) {
            assertRefused("int64 [batch, sequence]", () -> stitched.gates(scope.create(new long[] {1, 2}), 0));
        }
    }

    @Test
    void rowsThatMakeNoBatchAreRefused() throws IOException {
        onBoth(model -> {
            assertRefused("Row 1 holds 2 tokens, row 0 holds 3", () -> model.tokenLosses(new int[][] {{1, 2, 3}, {1, 2}}));
            assertRefused("holds no tokens", () -> model.tokenLosses(new int[][] {{1}}));
            assertRefused("0 rows holds no tokens", () -> model.tokenLosses(new int[0][]));
        });
        assertRefused("0 rows", () -> stitched.accumulateGradients(new int[0][], 1, 0));
    }

    @Test
    void aBackwardPassWithNothingToTrainIsRefused() {
        for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
            PassOptions options = PassOptions.DEFAULT.withCheckpointing(checkpointing);
            String message = assertThrows(IllegalStateException.class, () -> stitched.accumulateGradients(new int[][] {{1, 2, 3}}, 1, 0, options)).getMessage();
            assertTrue(message.contains("setRequiresGradient(true)"), message);
        }
    }

    @Test
    void aRefusedTokenLeavesTheSessionUnchanged() throws IOException {
        onBoth(model -> {
            try (DecodeSession session = model.newSession(8); DecodeSession fresh = model.newSession(8)) {
                session.append(5, 6, 7);
                assertRefused("Token id 160", () -> session.append(8, VOCAB));
                assertRefused("Token id -1", () -> session.append(-1));
                assertRefused("No new tokens", session::append);
                assertRefused("6 new tokens: the session holds 3 of 8", () -> session.append(1, 2, 3, 4, 5, 6));
                assertEquals(3, session.length());
                fresh.append(5, 6, 7);
                assertArrayEquals(fresh.append(8, 9), session.append(8, 9));
                assertEquals(5, session.length());
            }
        });
    }

    @Test
    void aSessionHoldsWhatItWasOpenedForAndNoMore() throws IOException {
        onBoth(model -> {
            assertRefused("capacity = 0 is outside 1 .. 256", () -> model.newSession(0));
            assertRefused("capacity = -3", () -> model.newSession(-3));
            assertRefused("capacity = 257 is outside 1 .. 256 (the context length)", () -> model.newSession(CONTEXT + 1));
            try (DecodeSession session = model.newSession(2)) {
                assertEquals(2, session.capacity());
                session.append(1, 2);
                assertRefused("1 new token: the session holds 2 of 2 and is full; open one with a larger capacity", () -> session.append(3));
            }
            DecodeSession closed = model.newSession(2);
            closed.close();
            closed.close();
            assertThrows(IllegalStateException.class, () -> closed.append(1));
        });
    }

    @Test
    void sessionsOfOneModelDoNotSeeEachOther() throws IOException {
        onBoth(model -> {
            try (DecodeSession one = model.newSession(6); DecodeSession two = model.newSession(6); DecodeSession alone = model.newSession(6)) {
                one.append(1, 2, 3);
                two.append(9, 8, 7);
                float[] mixed = one.append(4);
                two.append(6);
                alone.append(1, 2, 3);
                assertArrayEquals(alone.append(4), mixed);
            }
        });
    }

    /** Token ids in, flat logits out. */
    private static final class Logits implements NoBatchifyTranslator<int[][], float[]> {
        @Override
        public NDList processInput(TranslatorContext context, int[][] tokens) {
            return new NDList(TinyModels.ids(context.getNDManager(), tokens, VOCAB));
        }

        @Override
        public float[] processOutput(TranslatorContext context, NDList output) {
            return output.singletonOrThrow().toFloatArray();
        }

        @Override
        public Batchifier getBatchifier() {
            return null;
        }
    }

    @Test
    void djlsPredictorGivesTheLogitsOfForward() throws IOException, TranslateException {
        for (FrozenLm lm : new FrozenLm[] {stitched, stitched.models().get(1)}) {
            Model model = lm;
            try (Predictor<int[][], float[]> predictor = model.newPredictor(new Logits());
                    NDManager scope = Torch.manager().newSubManager()) {
                float[] expected = ((CausalLm) lm).forward(TinyModels.ids(scope, TOKENS, VOCAB)).toFloatArray();
                assertArrayEquals(expected, predictor.predict(TOKENS));
                assertEquals(TOKENS.length * TOKENS[0].length * VOCAB, expected.length);
                assertArrayEquals(expected, predictor.predict(TOKENS), "a second time");
            }
        }
    }

    @Test
    void whatWouldChangeAFrozenModelThroughDjlIsRefused() throws IOException {
        onBoth(model -> {
            assertThrows(UnsupportedOperationException.class, () -> model.setBlock(model.getBlock()));
            assertThrows(UnsupportedOperationException.class, () -> model.load(TinyModels.golden("bts-3x4")));
            assertThrows(UnsupportedOperationException.class, () -> model.save(TinyModels.golden("bts-3x4"), "name"));
        });
    }

    @Test
    void theContextIsTheShortestOfTheModels() {
        assertEquals(CONTEXT, stitched.contextLength());
        assertEquals(VOCAB, stitched.vocabSize());
        assertTrue(stitched.models().stream().mapToInt(LlamaModel::contextLength).allMatch(length -> length == CONTEXT));
    }
}
