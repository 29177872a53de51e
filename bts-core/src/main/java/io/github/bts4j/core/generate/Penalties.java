package io.github.bts4j.core.generate;

import io.github.bts4j.core.support.Problems;
import java.util.Map;
import java.util.TreeMap;

/**
 * What changes the logits before temperature and filters. Of a token with the logit x they make, in this order: {@code x + logitBias}; the repetition penalty; then
 * {@code x - frequency * c - (c > 0 ? presence : 0)}, where c counts how often the generated text has the token (the formula of OpenAI's API; vLLM has the same order).
 *
 * @param repetition divisor of the positive logits, and factor on the negative logits, of tokens in prompt or output; 1 does nothing, more discourages repetition
 * @param presence what the logits of tokens in the generated text lose; negative encourages repetition
 * @param frequency what the logit of a token loses each time that it is generated
 * @param logitBias what is added to the logits of tokens, by token id; 100 or -100 nearly always forces or bans a token
 */
public record Penalties(double repetition, double presence, double frequency, Map<Integer, Double> logitBias) {
    /** Nothing is changed. */
    public static final Penalties NONE = new Penalties(1, 0, 0, Map.of());

    /**
     * Copies the map.
     *
     * @param repetition the penalty on tokens in prompt or output
     * @param presence the penalty on tokens in the output
     * @param frequency the penalty for each time that a token is in the output
     * @param logitBias what is added to the logits
     * @throws IllegalArgumentException if repetition is not positive, a value is not finite or a token id is negative
     */
    public Penalties {
        logitBias = Map.copyOf(logitBias);
        Problems problems = new Problems();
        problems.addIf(!(repetition > 0 && Double.isFinite(repetition)), "repetitionPenalty = " + repetition + ", must be positive and finite (1 is off)");
        problems.addIf(!Double.isFinite(presence), "presencePenalty = " + presence + ", must be finite (0 is off)");
        problems.addIf(!Double.isFinite(frequency), "frequencyPenalty = " + frequency + ", must be finite (0 is off)");
        new TreeMap<>(logitBias).forEach((id, bias) -> problems.addIf(id < 0 || !Double.isFinite(bias),
                "logitBias of token " + id + " = " + bias + ", must be finite, for a token id of 0 or more"));
        problems.throwInOneLine("generation options: ");
    }

    /**
     * With another {@link #repetition}.
     *
     * @param penalty the penalty; 1 is none
     * @return the changed copy
     */
    public Penalties withRepetition(double penalty) {
        return new Penalties(penalty, presence, frequency, logitBias);
    }

    /**
     * With another {@link #presence}.
     *
     * @param penalty the penalty; 0 is none
     * @return the changed copy
     */
    public Penalties withPresence(double penalty) {
        return new Penalties(repetition, penalty, frequency, logitBias);
    }

    /**
     * With another {@link #frequency}.
     *
     * @param penalty the penalty; 0 is none
     * @return the changed copy
     */
    public Penalties withFrequency(double penalty) {
        return new Penalties(repetition, presence, penalty, logitBias);
    }

    /**
     * With another {@link #logitBias}.
     *
     * @param bias by token id; empty is none
     * @return the changed copy
     */
    public Penalties withLogitBias(Map<Integer, Double> bias) {
        return new Penalties(repetition, presence, frequency, bias);
    }

    /** The changed logits, in {@code changed}. Each token counts once for the repetition penalty; ids beyond the logits cannot be generated. */
    void apply(float[] logits, int[] tokens, int promptLength, int count, float[] changed) {
        System.arraycopy(logits, 0, changed, 0, logits.length);
        logitBias.forEach((id, bias) -> {
            if (id < logits.length) {
                changed[id] += (float) (double) bias;
            }
        });
        if (repetition != 1) {
            repeat(logits, tokens, count, changed);
        }
        if (presence != 0 || frequency != 0) {
            count(tokens, promptLength, count, changed);
        }
    }

    private void repeat(float[] logits, int[] tokens, int count, float[] changed) {
        for (int i = 0; i < count; i++) {
            int id = tokens[i];
            if (id < 0) {
                throw new IllegalArgumentException("token id = " + id + " at position " + i + " is negative");
            }
            if (id < logits.length) {
                float biased = (float) (logits[id] + logitBias.getOrDefault(id, 0.0));
                changed[id] = (float) (biased < 0 ? biased * repetition : biased / repetition);
            }
        }
    }

    private void count(int[] tokens, int from, int to, float[] changed) {
        Map<Integer, Integer> counts = new TreeMap<>();
        for (int i = from; i < to; i++) {
            counts.merge(tokens[i], 1, Integer::sum);
        }
        counts.forEach((id, count) -> {
            if (id >= 0 && id < changed.length) {
                changed[id] -= (float) (frequency * count + presence);
            }
        });
    }
}
