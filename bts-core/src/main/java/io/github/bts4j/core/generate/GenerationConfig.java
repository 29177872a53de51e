package io.github.bts4j.core.generate;

import io.github.bts4j.core.constraint.Constraint;
import io.github.bts4j.core.support.Problems;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * The options of a generation, with the same meaning as in Hugging Face transformers.
 *
 * @param maxNewTokens maximum number of tokens to generate, at least 1
 * @param temperature divisor of the logits; 0 always takes the most likely token, and then topK, topP, minP and seed have no effect
 * @param topK how many of the most likely tokens to keep (including ties); 0 keeps all
 * @param topP keeps the smallest set of most likely tokens with this total probability, above 0 and at most 1; 1 keeps all
 * @param minP keeps the tokens with at least this fraction of the most likely token's probability, from 0 to 1; 0 keeps all
 * @param penalties changes of the logits: repetition, presence and frequency penalty, logit bias
 * @param seed the seed of the random numbers: the same logits, options and seed give the same tokens
 * @param endTokens the tokens that end the text, by default the model's
 * @param stopStrings the strings that end the text; they are not part of it
 * @param constraint what the text must be, such as JSON of a schema
 */
public record GenerationConfig(int maxNewTokens, double temperature, int topK, double topP, double minP, Penalties penalties, long seed,
        EndTokens endTokens, List<String> stopStrings, Constraint constraint) {

    /**
     * Copies the stop strings and checks every option.
     *
     * @param maxNewTokens maximum number of tokens to generate
     * @param temperature divisor of the logits
     * @param topK how many of the most likely tokens to keep
     * @param topP the total probability of the kept tokens
     * @param minP the minimum probability relative to the most likely token
     * @param penalties changes of the logits
     * @param seed the seed of the random numbers
     * @param endTokens the tokens that end the text
     * @param stopStrings the strings that end the text
     * @param constraint what the text must be
     * @throws IllegalArgumentException listing every option that is out of range
     */
    public GenerationConfig {
        Objects.requireNonNull(endTokens, "endTokens");
        Objects.requireNonNull(penalties, "penalties");
        Objects.requireNonNull(constraint, "constraint");
        stopStrings = List.copyOf(stopStrings);
        Problems problems = new Problems();
        problems.addIf(maxNewTokens < 1, "maxNewTokens = " + maxNewTokens + ", must be at least 1");
        problems.addIf(!(temperature >= 0 && Double.isFinite(temperature)), "temperature = " + temperature + ", must be 0 (greedy) or positive and finite");
        problems.addIf(topK < 0, "topK = " + topK + ", must be 0 (off) or positive");
        problems.addIf(!(topP > 0 && topP <= 1), "topP = " + topP + ", must be above 0 and at most 1 (off)");
        problems.addIf(!(minP >= 0 && minP <= 1), "minP = " + minP + ", must be from 0 (off) to 1");
        stopStrings.forEach(stop -> StopStrings.problem(stop).ifPresent(problems::add));
        problems.throwInOneLine("generation options: ");
    }

    /**
     * Greedy decoding, without penalty or stop strings, until the model's end token.
     *
     * @param maxNewTokens maximum number of tokens to generate, at least 1
     * @return the options
     * @throws IllegalArgumentException if maxNewTokens is less than 1
     */
    public static GenerationConfig greedy(int maxNewTokens) {
        return new GenerationConfig(maxNewTokens, 0, 0, 1, 0, Penalties.NONE, 0, EndTokens.OF_MODEL, List.of(), Constraint.NONE);
    }

    /** {@return whether decoding is greedy, that is, the temperature is 0} */
    public boolean isGreedy() {
        return temperature == 0;
    }

    /**
     * These options with another {@link #maxNewTokens}.
     *
     * @param maxNewTokens maximum number of tokens to generate, at least 1
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of range
     */
    public GenerationConfig withMaxNewTokens(int maxNewTokens) {
        return new GenerationConfig(maxNewTokens, temperature, topK, topP, minP, penalties, seed, endTokens, stopStrings, constraint);
    }

    /**
     * These options with another {@link #temperature}.
     *
     * @param temperature divisor of the logits; 0 is greedy
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of range
     */
    public GenerationConfig withTemperature(double temperature) {
        return new GenerationConfig(maxNewTokens, temperature, topK, topP, minP, penalties, seed, endTokens, stopStrings, constraint);
    }

    /**
     * These options with another {@link #topK}.
     *
     * @param topK how many of the most likely tokens to keep; 0 keeps all
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of range
     */
    public GenerationConfig withTopK(int topK) {
        return new GenerationConfig(maxNewTokens, temperature, topK, topP, minP, penalties, seed, endTokens, stopStrings, constraint);
    }

    /**
     * These options with another {@link #topP}.
     *
     * @param topP the total probability of the kept tokens; 1 keeps all
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of range
     */
    public GenerationConfig withTopP(double topP) {
        return new GenerationConfig(maxNewTokens, temperature, topK, topP, minP, penalties, seed, endTokens, stopStrings, constraint);
    }

    /**
     * These options with another {@link #minP}.
     *
     * @param minP the minimum probability relative to the most likely token; 0 keeps all
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of range
     */
    public GenerationConfig withMinP(double minP) {
        return new GenerationConfig(maxNewTokens, temperature, topK, topP, minP, penalties, seed, endTokens, stopStrings, constraint);
    }

    /**
     * These options with another {@link Penalties#repetition}.
     *
     * @param repetitionPenalty the penalty on tokens seen before; 1 is none
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of range
     */
    public GenerationConfig withRepetitionPenalty(double repetitionPenalty) {
        return withPenalties(penalties.withRepetition(repetitionPenalty));
    }

    /**
     * These options with another {@link #seed}.
     *
     * @param seed the seed of the random numbers
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of range
     */
    public GenerationConfig withSeed(long seed) {
        return new GenerationConfig(maxNewTokens, temperature, topK, topP, minP, penalties, seed, endTokens, stopStrings, constraint);
    }

    /**
     * These options with {@link #endTokens} other than the model's.
     *
     * @param ids the tokens that end the text; empty for none, so that only other limits end it
     * @return the changed copy
     * @throws IllegalArgumentException if an id is negative
     */
    public GenerationConfig withEndTokens(Set<Integer> ids) {
        return new GenerationConfig(maxNewTokens, temperature, topK, topP, minP, penalties, seed, EndTokens.of(ids), stopStrings, constraint);
    }

    /**
     * These options with another {@link #stopStrings}.
     *
     * @param stopStrings the strings that end the text
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of range
     */
    public GenerationConfig withStopStrings(List<String> stopStrings) {
        return new GenerationConfig(maxNewTokens, temperature, topK, topP, minP, penalties, seed, endTokens, stopStrings, constraint);
    }

    /**
     * These options with other {@link #penalties}.
     *
     * @param penalties changes of the logits
     * @return the changed copy
     */
    public GenerationConfig withPenalties(Penalties penalties) {
        return new GenerationConfig(maxNewTokens, temperature, topK, topP, minP, penalties, seed, endTokens, stopStrings, constraint);
    }

    /**
     * These options with another {@link #constraint}.
     *
     * @param constraint what the text must be
     * @return the changed copy
     */
    public GenerationConfig withConstraint(Constraint constraint) {
        return new GenerationConfig(maxNewTokens, temperature, topK, topP, minP, penalties, seed, endTokens, stopStrings, constraint);
    }
}
