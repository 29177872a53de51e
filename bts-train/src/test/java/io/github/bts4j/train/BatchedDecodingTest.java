package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.StitchedModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many sequences at once give what each gives alone. */
class BatchedDecodingTest {
    @TempDir
    private Path folder;
    private LlamaTokenizer tokenizer;
    private LlamaModel alone;
    private StitchedModel stitched;

    @BeforeEach
    void open() throws Exception {
        TinyRuns.textModels(folder, "hub", "code", "math");
        tokenizer = LlamaTokenizer.open(folder.resolve("hub"));
        alone = LlamaModel.open(folder.resolve("hub"));
        stitched = TinyRuns.stitched(folder, 0, "hub", "code", "math");
    }

    @AfterEach
    void close() {
        stitched.close();
        alone.close();
        tokenizer.close();
    }

    private List<CausalLm> models() {
        return List.of(alone, stitched);
    }

    /** Of both models: the stitched one's streams, and its stitches as one more. */
    private Tolerance tolerance() {
        return Tolerance.of(alone.config(), 128, Precision.FLOAT32).times(stitched.models().size() + 1);
    }

    /** Five sessions of different lengths take 20 tokens each; one of them sits out every other step. */
    @Test
    void logitsAreThoseOfEverySessionAlone() {
        for (CausalLm model : models()) {
            SplittableRandom random = new SplittableRandom(2);
            List<DecodeSession> together = new ArrayList<>();
            List<DecodeSession> single = new ArrayList<>();
            try {
                for (int i = 0; i < 5; i++) {
                    int[] prompt = random.ints(1 + 7 * i, 0, 2048).toArray();
                    together.add(model.newSession(100));
                    single.add(model.newSession(100));
                    assertArrayEquals(single.get(i).append(prompt), together.get(i).append(prompt));
                }
                for (int step = 0; step < 20; step++) {
                    int first = step % 2;
                    int[] tokens = random.ints(5 - first, 0, 2048).toArray();
                    float[][] logits = model.appendEach(together.subList(first, 5), tokens);
                    for (int i = 0; i < tokens.length; i++) {
                        tolerance().assertClose("session " + (first + i) + ", step " + step, single.get(first + i).append(tokens[i]), logits[i]);
                        assertEquals(single.get(first + i).length(), together.get(first + i).length());
                    }
                }
            } finally {
                together.forEach(DecodeSession::close);
                single.forEach(DecodeSession::close);
            }
        }
    }

    @Test
    void promptsOfAnyLengthsGenerateTheirOwnTexts() {
        List<String> prompts = IntStream.range(0, 13).mapToObj(i -> "the house of ".repeat(i % 4 + 1) + i).toList();
        for (GenerationConfig config : List.of(GenerationConfig.greedy(24), GenerationConfig.greedy(24).withTemperature(0.9).withTopP(0.9).withSeed(4)
                .withEndTokens(java.util.Set.of(300, 301, 302, 303, 304, 305, 306, 307, 308, 309)).withStopStrings(List.of("e", "o")))) {
            for (CausalLm model : models()) {
                Generator generator = new Generator(model, tokenizer);
                List<GenerationResult> expected = prompts.stream().map(prompt -> generator.generate(prompt, config)).toList();
                int before = Torch.manager().getManagedArrays().size();
                for (int atOnce : new int[] {1, 4, 20}) {
                    List<GenerationResult> results = generator.generateAll(prompts, config, atOnce);
                    assertEquals(expected.size(), results.size());
                    for (int i = 0; i < results.size(); i++) {
                        assertArrayEquals(expected.get(i).tokenIds(), results.get(i).tokenIds(), "prompt " + i + ", at once " + atOnce);
                        assertEquals(expected.get(i).text(), results.get(i).text());
                        assertEquals(expected.get(i).stopReason(), results.get(i).stopReason());
                    }
                }
                assertEquals(before, Torch.manager().getManagedArrays().size());
            }
        }
        assertEquals(List.of(), new Generator(alone, tokenizer).generateAll(List.of(), GenerationConfig.greedy(1), 3));
    }

    /** Streams with gates and without them share a step: the tokens are those of each alone, and the gates those of one pass over the text. */
    @Test
    void gatesBesideStreamsWithout() {
        SplittableRandom random = new SplittableRandom(3);
        Map<String, NDArray> tensors = new HashMap<>(stitched.stitchTensors());
        tensors.replaceAll((name, tensor) -> stitched.getNDManager().create(floats(random, tensor.toFloatArray()), tensor.getShape()));
        stitched.setStitchTensors(tensors);
        Generator generator = new Generator(stitched, tokenizer);
        GenerationConfig config = GenerationConfig.greedy(12).withEndTokens(java.util.Set.of());
        List<int[]> prompts = IntStream.range(0, 4).mapToObj(i -> tokenizer.encode("the house of ".repeat(i + 1) + i, true)).toList();
        List<TokenStream> streams = IntStream.range(0, 4).mapToObj(i -> i % 2 == 0 ? generator.beginWithGates(prompts.get(i), config) : generator.begin(prompts.get(i), config)).toList();
        List<float[][][]> gates = new ArrayList<>();
        while (streams.get(0).hasNext()) {
            generator.nextEach(streams);
            streams.stream().flatMap(stream -> stream.gates().stream()).forEach(weights -> gates.add(weights.values()));
            assertEquals(java.util.Optional.empty(), streams.get(1).gates());
        }
        for (int i = 0; i < streams.size(); i++) {
            int[] answer = streams.get(i).result().tokenIds();
            try (TokenStream alone = generator.stream(prompts.get(i), config)) {
                assertArrayEquals(alone.toEnd().tokenIds(), answer);
            }
            if (i % 2 == 0) {
                float[][][] whole = stitched.gates(IntStream.concat(IntStream.of(prompts.get(i)), IntStream.of(answer)).toArray()).values();
                for (int t = 0; t < answer.length; t++) {
                    float[][][] token = gates.get(2 * t + i / 2);
                    assertEquals(1, token.length);
                    for (int layer = 0; layer < token[0].length; layer++) {
                        assertArrayEquals(whole[prompts.get(i).length + t][layer], token[0][layer], 1e-5f, "stream " + i + ", token " + t + ", layer " + layer);
                    }
                }
            }
        }
    }

    private static float[] floats(SplittableRandom random, float[] around) {
        for (int i = 0; i < around.length; i++) {
            around[i] += (float) random.nextDouble(-0.5, 0.5);
        }
        return around;
    }

    @Test
    void whatCannotBeOneStepIsRefusedAndChangesNothing() {
        for (CausalLm model : models()) {
            CausalLm other = model == alone ? stitched : alone;
            try (DecodeSession a = model.newSession(4); DecodeSession b = model.newSession(2); DecodeSession c = other.newSession(4)) {
                a.append(1);
                b.append(1, 2);
                assertRefused("1 sessions and 2 tokens", model, List.of(a), 1, 2);
                assertRefused("0 sessions", model, List.of());
                assertRefused("given twice", model, List.of(a, a), 1, 2);
                assertRefused("Session 1 is full: it holds 2 of 2", model, List.of(a, b), 1, 2);
                assertRefused("another model", model, List.of(a, c), 1, 2);
                assertRefused("2048", model, List.of(a), 2048);
                assertEquals(1, a.length());
                assertEquals(0, c.length());
            }
        }
        String message = assertThrows(IllegalArgumentException.class,
                () -> new Generator(alone, tokenizer).generateAll(List.of("a"), GenerationConfig.greedy(1), 0)).getMessage();
        assertEquals("atOnce = 0, must be at least 1", message);
    }

    private static void assertRefused(String part, CausalLm model, List<DecodeSession> sessions, int... tokens) {
        String message = assertThrows(IllegalArgumentException.class, () -> model.appendEach(sessions, tokens)).getMessage();
        assertTrue(message.contains(part), message);
    }
}
