package io.github.bts4j.core.generate;

import io.github.bts4j.core.support.Problems;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * How to generate. The options mean what they mean in Hugging Face transformers.
 *
 * @param maxNewTokens the most tokens to generate, at least 1
 * @param temperature what the logits are divided by; 0 takes the likeliest token each time, and then topK, topP, minP and seed have no effect
 * @param topK how many of the likeliest tokens to keep (those as likely as the last of them, too); 0 keeps all
 * @param topP keeps the fewest likeliest tokens that reach this probability together, above 0 and at most 1; 1 keeps all
 * @param minP keeps the tokens at least this many times as likely as the likeliest, from 0 to 1; 0 keeps all
 * @param repetitionPenalty what the positive logits of tokens seen before, in prompt or output, are divided by, and the negative ones multiplied by; 1 does
 *     nothing, more discourages repetition
 * @param seed the seed of the random numbers: the same logits, options and seed give the same tokens
 * @param endTokens the tokens that end the text: the model's own if not said otherwise
 * @param stopStrings the texts that end the text; they are not part of it
 */
public record GenerationConfig(int maxNewTokens, double temperature, int topK, double topP, double minP, double repetitionPenalty, long seed,
        EndTokens endTokens, List<String> stopStrings) {

    /**
     * Copies the stop strings and checks every option.
     *
     * @param maxNewTokens the most tokens to generate
     * @param temperature what the logits are divided by
     * @param topK how many of the likeliest tokens to keep
     * @param topP the probability that the kept tokens reach together
     * @param minP the least probability relative to the likeliest token
     * @param repetitionPenalty the penalty on tokens seen before
     * @param seed the seed of the random numbers
     * @param endTokens the tokens that end the text
     * @param stopStrings the texts that end the text
     * @throws IllegalArgumentException naming every option that is out of its range
     */
    public GenerationConfig {
        Objects.requireNonNull(endTokens, "endTokens");
        stopStrings = List.copyOf(stopStrings);
        Problems problems = new Problems();
        require(maxNewTokens >= 1, "maxNewTokens = " + maxNewTokens + ", must be at least 1", problems);
        require(temperature >= 0 && Double.isFinite(temperature), "temperature = " + temperature + ", must be 0 (greedy) or positive and finite", problems);
        require(topK >= 0, "topK = " + topK + ", must be 0 (off) or positive", problems);
        require(topP > 0 && topP <= 1, "topP = " + topP + ", must be above 0 and at most 1 (off)", problems);
        require(minP >= 0 && minP <= 1, "minP = " + minP + ", must be from 0 (off) to 1", problems);
        require(repetitionPenalty > 0 && Double.isFinite(repetitionPenalty),
                "repetitionPenalty = " + repetitionPenalty + ", must be positive and finite (1 is off)", problems);
        stopStrings.forEach(stop -> StopStrings.problem(stop).ifPresent(problems::add));
        problems.throwInOneLine("generation options: ");
    }

    private static void require(boolean holds, String problem, Problems problems) {
        problems.addIf(!holds, problem);
    }

    /**
     * The likeliest token each time, without penalty or stop strings, until the model ends its text.
     *
     * @param maxNewTokens the most tokens to generate, at least 1
     * @return the options
     * @throws IllegalArgumentException if maxNewTokens is less than 1
     */
    public static GenerationConfig greedy(int maxNewTokens) {
        return builder(maxNewTokens).build();
    }

    /**
     * A builder that begins with the options of {@link #greedy}.
     *
     * @param maxNewTokens the most tokens to generate, at least 1
     * @return the builder
     */
    public static Builder builder(int maxNewTokens) {
        return new Builder(maxNewTokens);
    }

    /**
     * A builder that begins with these options.
     *
     * @return the builder
     */
    public Builder toBuilder() {
        return new Builder(maxNewTokens).temperature(temperature).topK(topK).topP(topP).minP(minP).repetitionPenalty(repetitionPenalty).seed(seed)
                .endTokens(endTokens).stopStrings(stopStrings);
    }

    /**
     * Whether the likeliest token is taken each time.
     *
     * @return true if the temperature is 0
     */
    public boolean isGreedy() {
        return temperature == 0;
    }

    /**
     * These options with another {@link #maxNewTokens}.
     *
     * @param maxNewTokens the most tokens to generate, at least 1
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of its range
     */
    public GenerationConfig withMaxNewTokens(int maxNewTokens) {
        return toBuilder().maxNewTokens(maxNewTokens).build();
    }

    /**
     * These options with another {@link #temperature}.
     *
     * @param temperature what the logits are divided by; 0 is greedy
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of its range
     */
    public GenerationConfig withTemperature(double temperature) {
        return toBuilder().temperature(temperature).build();
    }

    /**
     * These options with another {@link #topK}.
     *
     * @param topK how many of the likeliest tokens to keep; 0 keeps all
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of its range
     */
    public GenerationConfig withTopK(int topK) {
        return toBuilder().topK(topK).build();
    }

    /**
     * These options with another {@link #topP}.
     *
     * @param topP the probability that the kept tokens reach together; 1 keeps all
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of its range
     */
    public GenerationConfig withTopP(double topP) {
        return toBuilder().topP(topP).build();
    }

    /**
     * These options with another {@link #minP}.
     *
     * @param minP the least probability relative to the likeliest token; 0 keeps all
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of its range
     */
    public GenerationConfig withMinP(double minP) {
        return toBuilder().minP(minP).build();
    }

    /**
     * These options with another {@link #repetitionPenalty}.
     *
     * @param repetitionPenalty the penalty on tokens seen before; 1 is none
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of its range
     */
    public GenerationConfig withRepetitionPenalty(double repetitionPenalty) {
        return toBuilder().repetitionPenalty(repetitionPenalty).build();
    }

    /**
     * These options with another {@link #seed}.
     *
     * @param seed the seed of the random numbers
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of its range
     */
    public GenerationConfig withSeed(long seed) {
        return toBuilder().seed(seed).build();
    }

    /**
     * These options with other {@link #endTokens} than the model's own.
     *
     * @param ids the tokens that end the text; none lets it go on until another limit is met
     * @return the changed copy
     * @throws IllegalArgumentException if an id is negative
     */
    public GenerationConfig withEndTokens(Set<Integer> ids) {
        return toBuilder().endTokens(EndTokens.of(ids)).build();
    }

    /**
     * These options with another {@link #stopStrings}.
     *
     * @param stopStrings the texts that end the text
     * @return the changed copy
     * @throws IllegalArgumentException if the value is out of its range
     */
    public GenerationConfig withStopStrings(List<String> stopStrings) {
        return toBuilder().stopStrings(stopStrings).build();
    }

    /** Collects options. Nothing is checked before {@link #build}. Not thread-safe. */
    public static final class Builder {

        private int maxNewTokens;
        private double temperature;
        private int topK;
        private double topP = 1;
        private double minP;
        private double repetitionPenalty = 1;
        private long seed;
        private EndTokens endTokens = EndTokens.OF_MODEL;
        private List<String> stopStrings = List.of();

        private Builder(int maxNewTokens) {
            this.maxNewTokens = maxNewTokens;
        }

        /**
         * Sets {@link GenerationConfig#maxNewTokens}.
         *
         * @param maxNewTokens the most tokens to generate, at least 1
         * @return this builder
         */
        public Builder maxNewTokens(int maxNewTokens) {
            this.maxNewTokens = maxNewTokens;
            return this;
        }

        /**
         * Sets {@link GenerationConfig#temperature}.
         *
         * @param temperature what the logits are divided by; 0 is greedy
         * @return this builder
         */
        public Builder temperature(double temperature) {
            this.temperature = temperature;
            return this;
        }

        /**
         * Sets {@link GenerationConfig#topK}.
         *
         * @param topK how many of the likeliest tokens to keep; 0 keeps all
         * @return this builder
         */
        public Builder topK(int topK) {
            this.topK = topK;
            return this;
        }

        /**
         * Sets {@link GenerationConfig#topP}.
         *
         * @param topP the probability that the kept tokens reach together; 1 keeps all
         * @return this builder
         */
        public Builder topP(double topP) {
            this.topP = topP;
            return this;
        }

        /**
         * Sets {@link GenerationConfig#minP}.
         *
         * @param minP the least probability relative to the likeliest token; 0 keeps all
         * @return this builder
         */
        public Builder minP(double minP) {
            this.minP = minP;
            return this;
        }

        /**
         * Sets {@link GenerationConfig#repetitionPenalty}.
         *
         * @param repetitionPenalty the penalty on tokens seen before; 1 is none
         * @return this builder
         */
        public Builder repetitionPenalty(double repetitionPenalty) {
            this.repetitionPenalty = repetitionPenalty;
            return this;
        }

        /**
         * Sets {@link GenerationConfig#seed}.
         *
         * @param seed the seed of the random numbers
         * @return this builder
         */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Sets {@link GenerationConfig#endTokens}.
         *
         * @param endTokens the tokens that end the text
         * @return this builder
         */
        public Builder endTokens(EndTokens endTokens) {
            this.endTokens = endTokens;
            return this;
        }

        /**
         * Sets {@link GenerationConfig#stopStrings}.
         *
         * @param stopStrings the texts that end the text
         * @return this builder
         */
        public Builder stopStrings(List<String> stopStrings) {
            this.stopStrings = stopStrings;
            return this;
        }

        /**
         * Checks the options.
         *
         * @return the options
         * @throws IllegalArgumentException naming every option that is out of its range
         */
        public GenerationConfig build() {
            return new GenerationConfig(maxNewTokens, temperature, topK, topP, minP, repetitionPenalty, seed, endTokens, stopStrings);
        }
    }
}
