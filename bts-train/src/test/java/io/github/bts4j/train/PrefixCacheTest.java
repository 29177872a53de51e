package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.GatedLm;
import io.github.bts4j.core.GatedSession;
import io.github.bts4j.core.PrefixCache;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.rope.RopeScaling;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.StitchedModel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prompts in blocks, and prompts whose beginning has been processed before: the logits of a forward pass over the whole text. */
class PrefixCacheTest {
    private static final int BLOCK = PrefixCache.BLOCK;
    private static final int CONTEXT = 8 * BLOCK;
    private static final long PLENTY = 1L << 30;

    @TempDir
    private Path folder;
    private LlamaTokenizer tokenizer;
    private LlamaModel alone;
    private StitchedModel stitched;

    @BeforeEach
    void open() throws Exception {
        LlamaConfig config = LlamaConfig.builder().vocabSize(2048).hiddenSize(48).intermediateSize(96).numLayers(4).numHeads(4).numKvHeads(2)
                .maxPositionEmbeddings(CONTEXT).build();
        TinyRuns.textModels(folder, config, "hub", "code", "math");
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

    private static int[] tokens(long seed, int count) {
        return new SplittableRandom(seed).ints(count, 0, 2048).toArray();
    }

    private static int[] joined(int[] first, int... then) {
        int[] both = Arrays.copyOf(first, first.length + then.length);
        System.arraycopy(then, 0, both, first.length, then.length);
        return both;
    }

    /** The logits after a prompt, and how many of its tokens came from the cache. */
    private static float[] logits(CausalLm model, PrefixCache cache, int reused, int... prompt) {
        try (DecodeSession session = model.newSession(CONTEXT)) {
            session.reuse(cache);
            float[] logits = session.append(prompt);
            assertEquals(reused, session.reusedTokens());
            assertEquals(prompt.length, session.length());
            return logits;
        }
    }

    private void assertWholePass(CausalLm model, float[] logits, int... prompt) {
        Tolerance tolerance = Tolerance.of(alone.config(), prompt.length, Precision.FLOAT32).times(stitched.models().size() + 1);
        tolerance.assertClose("after " + prompt.length + " tokens", model.logits(prompt)[prompt.length - 1], logits);
    }

    @Test
    void promptsThatBeginAlike() {
        int[] system = tokens(1, 2 * BLOCK + 50);
        for (CausalLm model : List.of(alone, stitched)) {
            try (PrefixCache cache = new PrefixCache(PLENTY)) {
                for (int seed = 2; seed < 5; seed++) {
                    int[] prompt = joined(system, tokens(seed, 100));
                    float[] found = logits(model, cache, seed == 2 ? 0 : 2 * BLOCK, prompt);
                    try (DecodeSession without = model.newSession(CONTEXT)) {
                        assertArrayEquals(without.append(prompt), found, "not the bits of a prompt that was processed");
                    }
                    assertWholePass(model, found, prompt);
                }
                assertEquals(4L * BLOCK, cache.reusedTokens());
                logits(model, cache, 2 * BLOCK, Arrays.copyOf(system, 2 * BLOCK + 1));
                logits(model, cache, BLOCK, Arrays.copyOf(system, 2 * BLOCK)); // the last token's logits are needed
                logits(model, cache, 0, Arrays.copyOf(system, BLOCK));
                int[] other = system.clone();
                other[BLOCK - 1] ^= 1;
                logits(model, cache, 0, other);
                other[BLOCK - 1] ^= 1;
                other[BLOCK] ^= 1;
                assertWholePass(model, logits(model, cache, BLOCK, other), other);
            }
        }
    }

    /** Behind the last whole block there are smaller ones; short prompts are one pass. */
    @Test
    void promptsThatDifferInTheirLastWords() {
        int[] system = tokens(1, 2 * BLOCK + 210);
        for (CausalLm model : List.of(alone, stitched)) {
            try (PrefixCache cache = new PrefixCache(PLENTY)) {
                for (int seed = 2; seed < 5; seed++) {
                    int[] prompt = joined(system, tokens(seed, 10 * seed));
                    float[] found = logits(model, cache, seed == 2 ? 0 : 2 * BLOCK + 128 + 64, prompt);
                    try (DecodeSession without = model.newSession(CONTEXT)) {
                        assertArrayEquals(without.append(prompt), found, "not the bits of a prompt that was processed");
                    }
                    assertWholePass(model, found, prompt);
                }
                logits(model, cache, 2 * BLOCK + 128, Arrays.copyOf(system, 2 * BLOCK + 128 + 64)); // the last token's logits are needed
                logits(model, cache, 2 * BLOCK, joined(system, tokens(5, 50))); // another whole block
                logits(model, cache, 0, Arrays.copyOf(system, BLOCK - 1));
            }
        }
    }

    /** A second turn goes on from the first one's prompt; generated tokens are processed again, as in any prompt. */
    @Test
    void turnsOfAConversation() {
        try (PrefixCache cache = new PrefixCache(PLENTY); DecodeSession first = stitched.newSession(CONTEXT)) {
            first.reuse(cache);
            int[] prompt = tokens(1, 2 * BLOCK - 8);
            first.append(prompt);
            int[] answer = tokens(2, 30);
            for (int token : answer) {
                first.append(token); // passes the end of a block
            }
            int[] second = joined(joined(prompt, answer), tokens(3, 2 * BLOCK));
            assertWholePass(stitched, logits(stitched, cache, BLOCK, second), second);
            logits(stitched, cache, 4 * BLOCK, joined(second, 5, 6, 7));
        }
    }

    /** Weights own their states: another model's, those with an expert switched off, and those from before an expert was removed are never found. */
    @Test
    void everyModelHasItsOwn() throws Exception {
        int[] prompt = tokens(1, 3 * BLOCK);
        try (PrefixCache cache = new PrefixCache(PLENTY); GatedLm view = stitched.without(Set.of("math"))) {
            logits(stitched, cache, 0, prompt);
            assertWholePass(alone, logits(alone, cache, 0, prompt), prompt);
            assertWholePass(view, logits(view, cache, 0, prompt), prompt);
            logits(view, cache, 3 * BLOCK - BLOCK / 4, prompt); // all but the last and smallest block
            logits(stitched, cache, 3 * BLOCK - BLOCK / 4, prompt);
            stitched.removeExpert("math");
            assertWholePass(stitched, logits(stitched, cache, 0, prompt), prompt);
        }
    }

    @Test
    @SuppressWarnings("try") // closed before its end, too
    void theOldestGoFirst() {
        int tensors = Torch.manager().getManagedArrays().size();
        long block;
        try (PrefixCache cache = new PrefixCache(PLENTY)) {
            logits(alone, cache, 0, tokens(1, BLOCK + 1));
            block = cache.bytes();
        }
        assertEquals(BLOCK * 4 * 2 * 24 * 4L, block, "tokens x layers x keys and values x width of the heads x float32");
        try (PrefixCache cache = new PrefixCache(3 * block)) {
            for (int seed = 1; seed <= 3; seed++) {
                logits(alone, cache, 0, tokens(seed, BLOCK + 1));
            }
            logits(alone, cache, BLOCK, tokens(1, BLOCK + 1));
            logits(alone, cache, 0, tokens(4, BLOCK + 1)); // in place of the second
            assertEquals(3 * block, cache.bytes());
            logits(alone, cache, BLOCK, tokens(3, BLOCK + 1));
            logits(alone, cache, BLOCK, tokens(1, BLOCK + 1));
            logits(alone, cache, 0, tokens(2, BLOCK + 1));
            logits(alone, cache, 0, tokens(5, 6 * BLOCK)); // more than there is room for: its beginning stays
            assertTrue(cache.bytes() <= 3 * block, () -> cache.bytes() + " bytes");
            try (DecodeSession open = alone.newSession(CONTEXT)) {
                open.reuse(cache);
                cache.close();
                open.append(tokens(5, 3 * BLOCK));
                assertEquals(0, open.reusedTokens());
            }
            assertEquals(0, cache.bytes());
        }
        assertEquals(tensors, Torch.manager().getManagedArrays().size());
    }

    @Test
    void aStreamTakesItsPromptInParts() {
        int[] prompt = tokens(1, 3 * BLOCK + 7);
        GenerationConfig config = GenerationConfig.greedy(8);
        int[] expected;
        try (TokenStream whole = new Generator(stitched, tokenizer).stream(prompt, config)) {
            expected = whole.toEnd().tokenIds();
        }
        try (PrefixCache cache = new PrefixCache(PLENTY)) {
            Generator generator = new Generator(stitched, tokenizer).withPrefixCache(cache);
            for (int again = 0; again < 2; again++) {
                try (TokenStream stream = generator.begin(prompt, config)) {
                    assertEquals(prompt.length, stream.promptTokensLeft());
                    int parts = 1;
                    while (!stream.processPrompt()) {
                        parts++;
                        assertTrue(stream.promptTokensLeft() > 0);
                    }
                    int passes = again == 0 ? 2 : 1; // of 512 tokens; what the cache holds takes no part of its own
                    assertTrue(parts >= passes, parts + " parts");
                    assertEquals(again == 0 ? 0 : 3 * BLOCK, stream.reusedPromptTokens());
                    assertEquals(0, stream.promptTokensLeft());
                    assertArrayEquals(expected, stream.toEnd().tokenIds());
                }
            }
            try (TokenStream unread = generator.begin(prompt, config)) {
                unread.processPrompt();
                assertArrayEquals(expected, unread.toEnd().tokenIds(), "next() processes what is left");
            }
            TokenStream closed = generator.begin(prompt, config);
            closed.close();
            assertThrows(IllegalStateException.class, closed::processPrompt);
        }
    }

    /** A prompt that is interrupted after every layer, by other steps of the model and of its own session, has the bits of one that is not; so have its gates. */
    @Test
    void aPromptIsInterruptedBetweenLayers() {
        System.setProperty("bts4j.promptPartMillis", "0");
        try {
            int[] prompt = tokens(1, 2 * BLOCK + 100);
            for (CausalLm model : List.of(alone, stitched)) {
                try (DecodeSession whole = model.newSession(CONTEXT); DecodeSession parts = model.newSession(CONTEXT); DecodeSession other = model.newSession(CONTEXT)) {
                    float[] expected = whole.append(prompt);
                    int calls = 0;
                    float[] found = {};
                    for (; found.length == 0; calls++) {
                        found = parts.appendPart(Arrays.copyOfRange(prompt, parts.length(), prompt.length));
                        other.append(7 + calls);
                    }
                    assertTrue(calls > 2 * 4, calls + " parts of two passes through 4 layers");
                    assertArrayEquals(expected, found);
                    assertArrayEquals(whole.append(5), parts.append(5));
                }
            }
            try (GatedSession whole = stitched.newGatedSession(CONTEXT); GatedSession parts = stitched.newGatedSession(CONTEXT)) {
                whole.append(prompt);
                while (parts.appendPart(Arrays.copyOfRange(prompt, parts.length(), prompt.length)).length == 0) { // until the end
                    assertTrue(parts.length() < prompt.length);
                }
                assertArrayEquals(whole.gates().values(), parts.gates().values());
            }
        } finally {
            System.clearProperty("bts4j.promptPartMillis");
        }
    }

    /** What was begun is given up for other tokens, for the rest in one call, and at the end. */
    @Test
    void aPromptThatIsGivenUpLeavesNothing() {
        System.setProperty("bts4j.promptPartMillis", "0");
        try {
            int[] prompt = tokens(1, BLOCK + 100);
            int[] other = tokens(2, BLOCK + 100);
            float[] expected;
            try (DecodeSession whole = stitched.newSession(CONTEXT)) {
                expected = whole.append(prompt);
            }
            int tensors = Torch.manager().getManagedArrays().size();
            try (DecodeSession session = stitched.newSession(CONTEXT)) {
                for (int i = 0; i < 3; i++) {
                    assertEquals(0, session.appendPart(prompt).length);
                    assertEquals(0, session.length());
                }
                assertEquals(0, session.appendPart(other).length);
                assertThrows(IllegalArgumentException.class, () -> session.appendPart(-1));
                assertEquals(0, session.appendPart(other).length);
                assertArrayEquals(expected, session.append(prompt));
            }
            DecodeSession closed = stitched.newSession(CONTEXT);
            closed.appendPart(prompt);
            closed.close();
            assertThrows(IllegalStateException.class, () -> closed.appendPart(prompt));
            assertEquals(tensors, Torch.manager().getManagedArrays().size());
        } finally {
            System.clearProperty("bts4j.promptPartMillis");
        }
    }

    /** Gates of a prompt of several blocks are those of one pass. */
    @Test
    void gatesOfALongPrompt() {
        int[] prompt = tokens(1, 2 * BLOCK + 9);
        float[][][] expected = stitched.gates(prompt).values();
        try (GatedSession session = stitched.newGatedSession(CONTEXT)) {
            session.append(prompt);
            float[][][] found = session.gates().values();
            assertEquals(prompt.length, found.length);
            for (int t = 0; t < found.length; t++) {
                for (int layer = 0; layer < found[t].length; layer++) {
                    Tolerance.of(alone.config(), prompt.length, Precision.FLOAT32).times(4).assertClose("token " + t + ", layer " + layer, expected[t][layer], found[t][layer]);
                }
            }
            session.append(5);
            assertEquals(1, session.gates().tokens());
        }
    }

    /** Frequencies that follow the length of the whole sequence: one pass, and nothing that a longer prompt could reuse. */
    @Test
    void statesThatDependOnTheLength() throws Exception {
        LlamaConfig config = LlamaConfig.builder().vocabSize(2048).hiddenSize(48).intermediateSize(96).numLayers(2).numHeads(4).numKvHeads(2)
                .maxPositionEmbeddings(BLOCK).ropeScaling(new RopeScaling.Dynamic(4)).build();
        TinyRuns.textModels(folder, config, "dynamic");
        try (LlamaModel model = LlamaModel.open(folder.resolve("dynamic")); PrefixCache cache = new PrefixCache(PLENTY)) {
            int[] prompt = tokens(1, Math.min(model.contextLength(), 3 * BLOCK));
            assertTrue(prompt.length > 2 * BLOCK, "a context of " + model.contextLength());
            for (int again = 0; again < 2; again++) {
                try (DecodeSession session = model.newSession(prompt.length)) {
                    session.reuse(cache);
                    float[] found = session.appendPart(prompt);
                    while (found.length == 0) {
                        assertEquals(0, session.length(), "no part of it alone");
                        found = session.appendPart(prompt);
                    }
                    Tolerance.of(config, prompt.length, Precision.FLOAT32).assertClose("dynamic", model.logits(prompt)[prompt.length - 1], found);
                    assertEquals(0, session.reusedTokens());
                }
            }
            assertEquals(0, cache.bytes());
        }
    }

    @Test
    void noBytes() {
        assertEquals("maxBytes = 0, must be at least 1", assertThrows(IllegalArgumentException.class, () -> new PrefixCache(0)).getMessage());
    }
}
