package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.bts4j.core.generate.GeneratedToken;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenLogProb;
import io.github.bts4j.core.generate.TokenScore;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.StitchedModel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Log-probabilities of given texts are those of the full forward pass's logits, and of the tokens when they were generated. */
class LogProbsTest {
    private static final int VOCAB = 2048;

    @TempDir
    private Path folder;
    private LlamaTokenizer tokenizer;
    private LlamaModel alone;
    private StitchedModel stitched;

    @BeforeEach
    void open() throws Exception {
        TinyRuns.textModels(folder, "hub", "code");
        tokenizer = LlamaTokenizer.open(folder.resolve("hub"));
        alone = LlamaModel.open(folder.resolve("hub"));
        stitched = TinyRuns.stitched(folder, 0, "hub", "code");
    }

    @AfterEach
    void close() {
        stitched.close();
        alone.close();
        tokenizer.close();
    }

    /** Of both models: the stitched one's streams, and its stitches as one more. */
    private Tolerance tolerance() {
        return Tolerance.of(alone.config(), 128, Precision.FLOAT32).times(stitched.models().size() + 1);
    }

    /** 120 texts of 2 to 128 tokens: more than one pass. */
    private static int[][] texts() {
        SplittableRandom random = new SplittableRandom(11);
        return IntStream.range(0, 120).mapToObj(i -> random.ints(i == 0 ? 2 : random.nextInt(2, 129), 0, VOCAB).toArray()).toArray(int[][]::new);
    }

    private static float[] fromLogits(FrozenLm model, int[] ids) {
        try (NDManager scope = Torch.manager().newSubManager()) {
            long[] wide = Arrays.stream(ids).asLongStream().toArray();
            NDArray tensor = scope.create(wide, new Shape(1, ids.length));
            float[] logits = model.forward(tensor).toFloatArray();
            float[] logProbs = new float[ids.length - 1];
            for (int t = 0; t < logProbs.length; t++) {
                double sum = 0;
                for (int v = 0; v < VOCAB; v++) {
                    sum += Math.exp(logits[t * VOCAB + v]);
                }
                logProbs[t] = (float) (logits[t * VOCAB + ids[t + 1]] - Math.log(sum));
            }
            return logProbs;
        }
    }

    @Test
    void textsOfAnyLengthsScoreAsTheirFullForwardPass() {
        int[][] texts = texts();
        for (FrozenLm model : new FrozenLm[] {alone, stitched}) {
            float[][] scores = new Generator(model, tokenizer).logProbs(texts);
            assertEquals(texts.length, scores.length);
            for (int i = 0; i < texts.length; i++) {
                tolerance().assertLossesClose("text " + i, fromLogits(model, texts[i]), scores[i]);
            }
        }
    }

    @Test
    void generatedTokensScoreAsWhenTheyWereGenerated() {
        GenerationConfig config = GenerationConfig.greedy(40).withTemperature(1.3).withTopK(100).withRepetitionPenalty(1.2).withSeed(3);
        for (FrozenLm model : new FrozenLm[] {alone, stitched}) {
            Generator generator = new Generator(model, tokenizer);
            GenerationResult result = generator.generate("public static", config);
            int[] prompt = tokenizer.encode("public static", true);
            int[] all = IntStream.concat(Arrays.stream(prompt), Arrays.stream(result.tokenIds())).toArray();
            float[] scores = generator.logProbs(all)[0];
            for (GeneratedToken token : result.tokens()) {
                assertEquals(scores[prompt.length - 1 + token.index()], token.logProb(), (float) tolerance().ofLosses(scores), "token " + token.index());
            }
        }
    }

    /** Texts whose every third token is the likeliest after those before it, so that greedy tokens and others come up. */
    @Test
    void scoresHoldTheLikeliestTokensOfTheFullForwardPass() {
        for (FrozenLm model : new FrozenLm[] {alone, stitched}) {
            int[] ids = new SplittableRandom(12).ints(60, 0, VOCAB).toArray();
            for (int t = 3; t < ids.length; t += 3) {
                ids[t] = ranked(logits(model, Arrays.copyOf(ids, t + 1))[t - 1])[0];
            }
            float[][] logits = logits(model, ids);
            float[] expected = fromLogits(model, ids);
            List<TokenScore> scores = new Generator(model, tokenizer).score(ids, 4);
            assertEquals(59, scores.size());
            for (int t = 1; t < ids.length; t++) {
                TokenScore score = scores.get(t - 1);
                int[] ranked = ranked(logits[t - 1]);
                assertEquals(ids[t], score.id());
                assertEquals(expected[t - 1], score.logProb(), (float) tolerance().ofLosses(expected), "token " + t);
                assertArrayEquals(Arrays.copyOf(ranked, 4), score.mostLikely().stream().mapToInt(TokenLogProb::id).toArray(), "token " + t);
                assertEquals(ranked[0] == ids[t], score.isGreedy(), "token " + t);
                assertTrue(score.isGreedy() || t % 3 != 0, "token " + t);
            }
            assertTrue(scores.stream().filter(TokenScore::isGreedy).count() < 30, "others come up too");
        }
        TokenScore without = new Generator(alone, tokenizer).score(new int[] {1, 2}, 0).get(0);
        assertTrue(assertThrows(IllegalStateException.class, without::isGreedy).getMessage().contains("without alternatives"));
    }

    private static float[][] logits(FrozenLm model, int[] ids) {
        try (NDManager scope = Torch.manager().newSubManager()) {
            float[] flat = model.forward(scope.create(Arrays.stream(ids).asLongStream().toArray(), new Shape(1, ids.length))).toFloatArray();
            return IntStream.range(0, ids.length).mapToObj(t -> Arrays.copyOfRange(flat, t * VOCAB, (t + 1) * VOCAB)).toArray(float[][]::new);
        }
    }

    /** All ids, the likeliest first. */
    private static int[] ranked(float[] logits) {
        return IntStream.range(0, VOCAB).boxed().sorted((a, b) -> Float.compare(logits[b], logits[a])).mapToInt(Integer::intValue).toArray();
    }

    @Test
    void textsThatCannotBeScoredAreNamed() {
        Generator generator = new Generator(alone, tokenizer);
        assertEquals(0, generator.logProbs().length);
        assertRefused("Text 1 holds 1 tokens", generator, new int[] {1, 2}, new int[] {1});
        assertRefused("Text 0 holds 129 tokens; between 2 and 128", generator, new int[129]);
        assertRefused("2048", generator, new int[] {1, 2, 2048});
    }

    private static void assertRefused(String part, Generator generator, int[]... texts) {
        String message = assertThrows(IllegalArgumentException.class, () -> generator.logProbs(texts)).getMessage();
        assertTrue(message.contains(part), message);
    }
}
