package io.github.bts4j.core.generate;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A finished generation.
 *
 * @param promptTokens number of prompt tokens
 * @param tokens the generated tokens, including the end token
 * @param text the generated text, without the stop string and what follows it
 * @param stopReason why it ended
 * @param stopString the stop string that ended it; present exactly for {@link StopReason#STOP_STRING}
 */
public record GenerationResult(int promptTokens, List<GeneratedToken> tokens, String text, StopReason stopReason, Optional<String> stopString) {

    /**
     * Copies the list and checks the components.
     *
     * @param promptTokens number of prompt tokens
     * @param tokens the generated tokens
     * @param text the generated text
     * @param stopReason why it ended
     * @param stopString the stop string that ended it
     * @throws IllegalArgumentException if promptTokens is negative, or stopString is present without {@link StopReason#STOP_STRING} or absent with it
     */
    public GenerationResult {
        tokens = List.copyOf(tokens);
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(stopReason, "stopReason");
        throwIf(promptTokens < 0, () -> new IllegalArgumentException("promptTokens = " + promptTokens + " must not be negative"));
        throwIf(stopString.isPresent() != (stopReason == StopReason.STOP_STRING),
                () -> new IllegalArgumentException("stopReason = " + stopReason + " contradicts stopString = " + stopString));
    }

    /** {@return the ids of the generated tokens, in a new array} */
    public int[] tokenIds() {
        return tokens.stream().mapToInt(GeneratedToken::id).toArray();
    }

    /** {@return the log-probability of all generated tokens together: the sum over {@link GeneratedToken#logProb}} */
    public double logProb() {
        return tokens.stream().mapToDouble(GeneratedToken::logProb).sum();
    }
}
