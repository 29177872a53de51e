package io.github.bts4j.server;

import io.github.bts4j.core.generate.GeneratedToken;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.TokenLogProb;
import io.github.bts4j.core.generate.TokenScore;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** One answer that the scheduler generates. Its listener is called on the scheduler's thread and must not block. */
final class Generation extends Work {
    /** What becomes of an answer. */
    interface Listener {
        /** Whether there is room for what comes next; else the answer pauses. */
        boolean isReady();

        /** The prompt's tokens but the first, where they were asked for. */
        void onPrompt(List<TokenScore> scores);

        /** A token, with the likeliest ones at its place where they were asked for. */
        void onToken(GeneratedToken token, List<TokenLogProb> alternatives);

        /** The end; empty where nothing was to be generated. */
        void onEnd(Optional<GenerationResult> result);

        /** The answer failed; nothing else follows. */
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
     * Describes an answer.
     *
     * @param prompt token ids
     * @param config how to generate
     * @param scorePrompt whether the prompt's own log-probabilities are wanted
     * @param generate whether anything is to be generated
     * @param alternatives how many of the likeliest tokens are wanted at every place; -1 for none at all
     * @param expertsOff experts that are switched off
     * @param deadline by {@link System#nanoTime}
     * @param listener what is told
     */
    Generation(int[] prompt, GenerationConfig config, boolean scorePrompt, boolean generate, int alternatives, Set<String> expertsOff, long deadline,
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
