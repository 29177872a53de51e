package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.bts4j.core.FrozenLm;
import io.github.bts4j.core.generate.GeneratedToken;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.stitch.StitchedModel;
import java.nio.file.Path;
import java.util.Arrays;
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
                assertArrayEquals(fromLogits(model, texts[i]), scores[i], 1e-4f, "text " + i);
            }
        }
    }

    @Test
    void generatedTokensScoreAsWhenTheyWereGenerated() {
        GenerationConfig config = GenerationConfig.builder(40).temperature(1.3).topK(100).repetitionPenalty(1.2).seed(3).build();
        for (FrozenLm model : new FrozenLm[] {alone, stitched}) {
            Generator generator = new Generator(model, tokenizer);
            GenerationResult result = generator.generate("public static", config);
            int[] prompt = tokenizer.encode("public static", true);
            int[] all = IntStream.concat(Arrays.stream(prompt), Arrays.stream(result.tokenIds())).toArray();
            float[] scores = generator.logProbs(all)[0];
            for (GeneratedToken token : result.tokens()) {
                assertEquals(scores[prompt.length - 1 + token.index()], token.logProb(), 1e-4f, "token " + token.index());
            }
        }
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
