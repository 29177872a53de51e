package io.github.bts4j.server;

import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.generate.GeneratedToken;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.StopReason;
import io.github.bts4j.core.generate.TokenLogProb;
import io.github.bts4j.core.generate.TokenScore;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** One sequence that the scheduler generates. Its listener is called on the scheduler's thread and must not block. */
final class Sequence extends Work {
    /** Receives the progress of a sequence. */
    interface Listener {
        /** Whether there is room for the next token; if not, the sequence pauses. */
        boolean isReady();

        /** The scores of all prompt tokens but the first, if requested. */
        void onPrompt(List<TokenScore> scores);

        /** The whole prompt has been processed; so many of its tokens were taken from the prefix cache. */
        void onPromptProcessed(int reusedTokens);

        /** The next token. */
        void onToken(Step step);

        /** Why the sequence ends after the last token, if it has all that is wanted of it. */
        default Optional<StopReason> enough() {
            return Optional.empty();
        }

        /** The end, and why. */
        void onEnd(StopReason reason);

        /** The sequence failed; no other call follows. */
        void onFailure(RuntimeException failure);
    }

    /**
     * A generated token.
     *
     * @param token the token
     * @param alternatives the most likely tokens at its position, if requested
     * @param gates its gate weights, if requested
     */
    record Step(GeneratedToken token, List<TokenLogProb> alternatives, Optional<GateWeights> gates) {}

    /**
     * What a sequence yields.
     *
     * @param scoredPrompt the scores of the prompt's tokens
     * @param tokens generated tokens
     * @param alternatives how many of the most likely tokens at each position; -1 for none
     * @param gates the gate weights of the generated tokens
     */
    record Wanted(boolean scoredPrompt, boolean tokens, int alternatives, boolean gates) {}

    private final int[] prompt;
    private final GenerationConfig config;
    private final Wanted wanted;
    private final Set<String> expertsOff;
    private final Listener listener;

    /**
     * Describes a sequence.
     *
     * @param prompt token ids
     * @param config the options
     * @param wanted what it yields
     * @param expertsOff experts that are switched off
     * @param deadline by {@link System#nanoTime}
     * @param listener receives the progress
     */
    Sequence(int[] prompt, GenerationConfig config, Wanted wanted, Set<String> expertsOff, long deadline, Listener listener) {
        super(deadline);
        this.prompt = prompt;
        this.config = config;
        this.wanted = wanted;
        this.expertsOff = expertsOff;
        this.listener = listener;
    }

    int[] prompt() {
        return prompt;
    }

    GenerationConfig config() {
        return config;
    }

    Wanted wanted() {
        return wanted;
    }

    Set<String> expertsOff() {
        return expertsOff;
    }

    Listener listener() {
        return listener;
    }

    @Override
    boolean isReady() {
        return listener.isReady();
    }

    @Override
    void failed(RuntimeException failure) {
        listener.onFailure(failure);
    }
}
