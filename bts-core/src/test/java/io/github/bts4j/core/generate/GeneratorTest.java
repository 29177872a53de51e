package io.github.bts4j.core.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The decode loop over a model that recites a known text: what comes out, when it stops, and that the session is freed. */
class GeneratorTest {
    private static LlamaTokenizer tokenizer;

    @BeforeAll
    static void open() {
        tokenizer = LlamaTokenizer.open(Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"));
    }

    @AfterAll
    static void close() {
        tokenizer.close();
    }

    /** A model that expects the tokens of a text one after the other, wherever the prompt ends. */
    private static final class Reciter implements CausalLm {
        private final int[] tokens;
        private final int context;
        private final List<DecodeSession> open = new ArrayList<>();
        private int padding; // rows of the embedding beyond the tokenizer's ids
        private final Set<Integer> unclosable = new HashSet<>(); // capacities of sessions whose close() fails
        private final Set<Integer> broken = new HashSet<>(); // capacities of sessions whose logits are not numbers, after the prompt

        Reciter(String text, int context) {
            this.tokens = tokenizer.encode(text, false);
            this.context = context;
        }

        @Override
        public int vocabSize() {
            return 2048;
        }

        @Override
        public int contextLength() {
            return context;
        }

        @Override
        public Device device() {
            return Device.cpu();
        }

        @Override
        public NDArray forward(NDArray tokenIds) {
            throw new UnsupportedOperationException();
        }

        @Override
        public float[][] tokenLosses(int[][] rows) {
            throw new UnsupportedOperationException();
        }

        @Override
        public DecodeSession newSession(int capacity) {
            return new Recital(this, capacity);
        }

        @Override
        public float[][] appendEach(List<? extends DecodeSession> sessions, int[] tokenIds) {
            return IntStream.range(0, tokenIds.length).mapToObj(i -> sessions.get(i).append(tokenIds[i])).toArray(float[][]::new);
        }

        @Override
        public void close() {
            // nothing to free
        }
    }

    private static final class Recital implements DecodeSession {
        private final Reciter model;
        private final int capacity;
        private int length;
        private int said = -1;

        Recital(Reciter model, int capacity) {
            this.model = model;
            this.capacity = capacity;
            model.open.add(this);
        }

        @Override
        public float[] append(int... tokenIds) {
            length += tokenIds.length;
            assertTrue(length <= capacity, "more tokens than the session holds");
            said++;
            float[] logits = new float[2048 + model.padding];
            Arrays.fill(logits, 2048, logits.length, 30); // more likely than any token
            logits[model.tokens[said % model.tokens.length]] = said > 0 && model.broken.contains(capacity) ? Float.NaN : 20;
            return logits;
        }

        @Override
        public int length() {
            return length;
        }

        @Override
        public int capacity() {
            return capacity;
        }

        @Override
        public void close() {
            model.open.remove(this);
            if (model.unclosable.contains(capacity)) {
                throw new AssertionError("as if");
            }
        }
    }

    private static final String TEXT = "naïve café — 数学 🙂 public static int max";

    @Test
    void piecesAddUpToTheText() {
        Reciter model = new Reciter(TEXT, 256);
        StringBuilder pieces = new StringBuilder();
        try (TokenStream stream = new Generator(model, tokenizer).stream("Once", GenerationConfig.greedy(model.tokens.length))) {
            while (stream.hasNext()) {
                String piece = stream.next().text();
                assertFalse(piece.contains("\uFFFD"), piece);
                pieces.append(piece);
            }
            assertEquals(TEXT, pieces.toString());
            GenerationResult result = stream.result();
            assertEquals(TEXT, result.text());
            assertEquals(StopReason.MAX_TOKENS, result.stopReason());
            assertArrayEquals(model.tokens, result.tokenIds());
        }
        assertTrue(model.open.isEmpty(), "the session was not closed");
    }

    @Test
    void stopsAtAStopStringAcrossTokensWithoutShowingIt() {
        Reciter model = new Reciter(TEXT, 256);
        GenerationResult result = new Generator(model, tokenizer).generate("Once",
                GenerationConfig.greedy(60).withStopStrings(List.of("tic in")));
        assertEquals("naïve café — 数学 🙂 public sta", result.text());
        assertEquals(StopReason.STOP_STRING, result.stopReason());
        assertEquals("tic in", result.stopString().orElseThrow());
        assertTrue(model.open.isEmpty());
    }

    @Test
    void stopsAtAnEndToken() {
        Reciter model = new Reciter(TEXT, 256);
        int end = model.tokens[5];
        GenerationResult result = new Generator(model, tokenizer).generate("Once", GenerationConfig.greedy(60).withEndTokens(Set.of(end)));
        assertEquals(StopReason.EOS, result.stopReason());
        assertEquals(end, result.tokenIds()[result.tokenIds().length - 1]);
        assertEquals(tokenizer.decode(Arrays.copyOf(model.tokens, result.tokenIds().length - 1), true), result.text());
    }

    @Test
    void stopsWhereTheContextEnds() {
        Reciter model = new Reciter(TEXT, 12);
        int prompt = tokenizer.encode("Once", true).length;
        GenerationResult result = new Generator(model, tokenizer).generate("Once", GenerationConfig.greedy(60));
        assertEquals(StopReason.CONTEXT_FULL, result.stopReason());
        assertEquals(12 - prompt, result.tokenIds().length);
        String message = assertThrows(IllegalArgumentException.class,
                () -> new Generator(model, tokenizer).generate("x".repeat(100), GenerationConfig.greedy(1))).getMessage();
        assertTrue(message.contains("at most 11 fit"), message);
        int[] one = {1};
        assertEquals("max_position_embeddings 1 leaves no room for a prompt and a new token",
                assertThrows(IllegalArgumentException.class, () -> new Generator(new Reciter(TEXT, 1), tokenizer).stream(one, GenerationConfig.greedy(1))).getMessage());
        assertEquals("The prompt holds no tokens: give it at least one, such as the token that begins a text",
                assertThrows(IllegalArgumentException.class, () -> new Generator(model, tokenizer).stream(new int[0], GenerationConfig.greedy(1))).getMessage());
    }

    @Test
    void aClosedStreamFreesItsSession() {
        Reciter model = new Reciter(TEXT, 256);
        TokenStream stream = new Generator(model, tokenizer).stream("Once", GenerationConfig.greedy(60));
        stream.next();
        assertEquals(1, model.open.size());
        stream.close();
        assertTrue(model.open.isEmpty());
        assertFalse(stream.hasNext());
        assertEquals(StopReason.CANCELLED, stream.result().stopReason());
        assertThrows(java.util.NoSuchElementException.class, stream::next);
    }

    @Test
    void aStreamThatFailsLeavesTheOthersOfItsStep() {
        Reciter model = new Reciter(TEXT, 256);
        model.unclosable.add(11); // after its first token
        model.broken.add(12); // at its second
        Generator generator = new Generator(model, tokenizer);
        int[] prompt = IntStream.range(5, 15).toArray();
        List<TokenStream> all = Stream.of(1, 2, 3, 4).map(tokens -> generator.stream(prompt, GenerationConfig.greedy(tokens))).toList();
        List<TokenStream> going = new ArrayList<>(all);
        Map<TokenStream, Throwable> failures = new HashMap<>();
        while (!going.isEmpty()) {
            Map<TokenStream, GeneratedToken> tokens = generator.nextEach(going, failures::put);
            assertEquals(going.stream().filter(stream -> !failures.containsKey(stream)).toList(), List.copyOf(tokens.keySet()));
            going.removeIf(stream -> !stream.hasNext());
        }
        assertEquals(Set.of(all.get(0), all.get(1)), failures.keySet());
        assertTrue(failures.get(all.get(0)) instanceof AssertionError, failures::toString);
        assertTrue(failures.get(all.get(1)) instanceof IllegalArgumentException, failures::toString);
        for (int i : new int[] {2, 3}) {
            assertArrayEquals(Arrays.copyOf(model.tokens, i + 1), all.get(i).result().tokenIds());
            assertEquals(StopReason.MAX_TOKENS, all.get(i).result().stopReason());
        }
        assertTrue(model.open.isEmpty(), "a session was not closed");
        assertThrows(java.util.NoSuchElementException.class, () -> generator.nextEach(all));
        assertThrows(AssertionError.class, () -> generator.nextEach(List.of(generator.stream(prompt, GenerationConfig.greedy(1)))));
    }

    @Test
    void idsWithoutATokenAreNotDrawn() {
        Reciter model = new Reciter(TEXT, 256);
        model.padding = 16;
        try (TokenStream stream = new Generator(model, tokenizer).stream("Once", GenerationConfig.greedy(model.tokens.length))) {
            assertEquals(model.tokens[0], stream.mostLikely(3).get(0).id());
            assertTrue(stream.mostLikely(3000).stream().allMatch(each -> each.id() < 2048));
            float logProb = stream.next().logProb();
            assertEquals(20 - 30 - Math.log(16 + Math.exp(-10) + 2047 * Math.exp(-30)), logProb, 1e-4, "of the model's own distribution");
            assertEquals(TEXT, stream.toEnd().text());
        }
    }
}
