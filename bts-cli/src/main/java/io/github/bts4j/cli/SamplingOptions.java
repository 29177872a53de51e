package io.github.bts4j.cli;

import io.github.bts4j.core.generate.GenerationConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** Options for generating text. */
final class SamplingOptions {
    @Option(names = "--max-tokens", paramLabel = "N", defaultValue = "200", description = "Maximum number of new tokens (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 1_048_576)
    private int maxTokens;

    @Option(names = "--temperature", paramLabel = "X", defaultValue = "0.8", description = "0 always takes the most likely token (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, most = 100)
    private double temperature;

    @Option(names = "--top-p", paramLabel = "X", defaultValue = "1.0", description = "Sample from the most likely tokens with this total probability (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, above = true, most = 1)
    private double topP;

    @Option(names = "--top-k", paramLabel = "N", defaultValue = "0", description = "Sample from this many of the most likely tokens; 0 for all (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, most = Within.COUNT)
    private int topK;

    @Option(names = "--repetition-penalty", paramLabel = "X", defaultValue = "1.0", description = "Above 1 discourages repetition (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, above = true, most = 100)
    private double repetitionPenalty;

    @Option(names = "--presence-penalty", paramLabel = "X", defaultValue = "0.0", description = "What logits of tokens in the output lose (default: ${DEFAULT-VALUE}).")
    @Within(least = -100, most = 100)
    private double presencePenalty;

    @Option(names = "--frequency-penalty", paramLabel = "X", defaultValue = "0.0", description = "What a token's logit loses each time it is generated (default: ${DEFAULT-VALUE}).")
    @Within(least = -100, most = 100)
    private double frequencyPenalty;

    @Option(names = "--min-p", paramLabel = "X", defaultValue = "0.0", description = "Sample from tokens at least this fraction as likely as the most likely one (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, most = 1)
    private double minP;

    @Option(names = "--logit-bias", paramLabel = "ID=X", description = "Adds X to the logit of the token ID; may be repeated.")
    private Map<Integer, Double> logitBias = Map.of();

    @Option(names = "--seed", paramLabel = "N", description = "Random seed (default: a new one each time).")
    private Long seed;

    @Option(names = "--stop", description = "A text that ends the generation; may be repeated.")
    private List<String> stop = List.of();

    /** The options; without {@code --seed}, with a new seed each time. */
    Sampling sampling() {
        return new Sampling(maxTokens, temperature, topK, topP, minP, new double[] {repetitionPenalty, presencePenalty, frequencyPenalty}, new HashMap<>(logitBias),
                seed == null ? System.nanoTime() : seed, new ArrayList<>(stop));
    }

    GenerationConfig config() {
        return sampling().config(0);
    }
}
