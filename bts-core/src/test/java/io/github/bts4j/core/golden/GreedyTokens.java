package io.github.bts4j.core.golden;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import java.util.Arrays;

/** The tokens with the largest logits, one after the other, through a session. */
public final class GreedyTokens {
    private GreedyTokens() {}

    /** A prompt and what follows it, so many tokens in all. */
    public static int[] after(CausalLm model, int[] prompt, int length) {
        int[] ids = Arrays.copyOf(prompt, length);
        try (DecodeSession session = model.newSession(length)) {
            float[] logits = session.append(prompt);
            for (int t = prompt.length; t < length; t++) {
                ids[t] = argMax(logits);
                if (t + 1 < length) {
                    logits = session.append(ids[t]);
                }
            }
        }
        return ids;
    }

    private static int argMax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }
}
