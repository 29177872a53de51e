package io.github.bts4j.server;

import io.github.bts4j.core.generate.GeneratedToken;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.StopReason;
import io.github.bts4j.core.generate.TokenLogProb;
import io.github.bts4j.core.generate.TokenScore;
import java.util.List;
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

        /** A generated token and, if requested, the most likely alternatives at its position. */
        void onToken(GeneratedToken token, List<TokenLogProb> alternatives);

        /** The end, and why. */
        void onEnd(StopReason reason);

        /** The sequence failed; no other call follows. */
        void onFailure(RuntimeException failure);
    }

    private final int[] prompt;
    private final GenerationConfig config;
    private final boolean scorePrompt;
    private final boolean generate;
    private final int alternatives;
    private final Set<String> expertsOff;
    private final Listener listener;

    /**
     * Describes a sequence.
     *
     * @param prompt token ids
     * @param config the options
     * @param scorePrompt whether to score the prompt's tokens
     * @param generate whether to generate tokens
     * @param alternatives how many of the most likely tokens to report at each position; -1 for none
     * @param expertsOff experts that are switched off
     * @param deadline by {@link System#nanoTime}
     * @param listener receives the progress
     */
    Sequence(int[] prompt, GenerationConfig config, boolean scorePrompt, boolean generate, int alternatives, Set<String> expertsOff, long deadline,
            Listener listener) {
        super(deadline);
        this.prompt = prompt;
        this.config = config;
        this.scorePrompt = scorePrompt;
        this.generate = generate;
        this.alternatives = alternatives;
        this.expertsOff = expertsOff;
        this.listener = listener;
    }

    int[] prompt() {
        return prompt;
    }

    GenerationConfig config() {
        return config;
    }

    boolean scoresPrompt() {
        return scorePrompt;
    }

    boolean generates() {
        return generate;
    }

    int alternatives() {
        return alternatives;
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
