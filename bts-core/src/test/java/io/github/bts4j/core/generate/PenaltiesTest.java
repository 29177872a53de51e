package io.github.bts4j.core.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * By hand after OpenAI's formula, mu[j] - c[j] * alpha_frequency - float(c[j] &gt; 0) * alpha_presence, after vLLM's order (bias, repetition, frequency, presence: its sampler and
 * {@code apply_penalties}) and after transformers' repetition penalty, score &lt; 0 ? score * penalty : score / penalty.
 */
class PenaltiesTest {
    private static final float[] LOGITS = {2, -1, 0.5f, 3};
    private static final int[] TOKENS = {3, 0, 0, 1, 0}; // a prompt of two tokens, and an output of three

    private static float[] apply(Penalties penalties) {
        float[] changed = new float[LOGITS.length];
        penalties.apply(LOGITS, TOKENS, 2, TOKENS.length, changed);
        return changed;
    }

    @Test
    void presenceCountsOnceAndFrequencyEachTime() {
        assertArrayEquals(new float[] {2 - 0.5f, -1 - 0.5f, 0.5f, 3}, apply(Penalties.NONE.withPresence(0.5)));
        assertArrayEquals(new float[] {2 - 2 * 0.75f, -1 - 0.75f, 0.5f, 3}, apply(Penalties.NONE.withFrequency(0.75)));
        assertArrayEquals(new float[] {2 - 2 * 0.75f + 1, -1 - 0.75f + 1, 0.5f, 3}, apply(Penalties.NONE.withFrequency(0.75).withPresence(-1)));
    }

    @Test
    void repetitionCountsThePromptToo() {
        assertArrayEquals(new float[] {1, -2, 0.5f, 1.5f}, apply(Penalties.NONE.withRepetition(2)));
    }

    @Test
    void biasComesFirst() {
        assertArrayEquals(new float[] {2, 99, 0.5f - 100, 3}, apply(Penalties.NONE.withLogitBias(Map.of(1, 100.0, 2, -100.0, 7, 5.0))));
        // token 0: (2 - 3) * 2 - 2 * 0.25 - 1; token 1: (-1 + 3) / 2 - 0.25 - 1; token 3, only in the prompt: 3 / 2
        assertArrayEquals(new float[] {-3.5f, -0.25f, 0.5f, 1.5f}, apply(new Penalties(2, 1, 0.25, Map.of(0, -3.0, 1, 3.0))));
    }

    @Test
    void theSamplerChoosesByThem() {
        GenerationConfig greedy = GenerationConfig.greedy(9);
        int[] text = {3, 3};
        assertEquals(3, new Sampler(greedy, 0).next(LOGITS, text));
        assertEquals(0, new Sampler(greedy.withPenalties(Penalties.NONE.withFrequency(0.6)), 0).next(LOGITS, text));
        assertEquals(3, new Sampler(greedy.withPenalties(Penalties.NONE.withFrequency(0.6)), 1).next(LOGITS, text)); // 3 - 0.6 > 2
        assertEquals(2, new Sampler(greedy.withPenalties(Penalties.NONE.withLogitBias(Map.of(2, 3.0)))).next(LOGITS, text));
    }
}
