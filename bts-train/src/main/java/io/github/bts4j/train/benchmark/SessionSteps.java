package io.github.bts4j.train.benchmark;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Sessions of one model that decode together, a few tokens at a time. Not thread-safe. */
public final class SessionSteps implements AutoCloseable {
    private final CausalLm model;
    private final int room;
    private final int[] prompt;
    private final List<DecodeSession> open = new ArrayList<>();
    private int used;

    /**
     * Opens sessions that have processed a prompt.
     *
     * @param model the model
     * @param sessions number of sessions
     * @param promptTokens tokens of the prompt
     * @param room the most further tokens; after them, sessions begin again behind their prompt
     */
    public SessionSteps(CausalLm model, int sessions, int promptTokens, int room) {
        this.model = model;
        this.room = room;
        this.prompt = prompt(promptTokens, model.vocabSize());
        begin(sessions);
    }

    private void begin(int sessions) {
        used = 0;
        try {
            for (int s = 0; s < sessions; s++) {
                open.add(model.newSession(prompt.length + room));
                open.get(s).append(prompt);
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Decodes some tokens of each session.
     *
     * @param tokens number of tokens, at most the room
     * @return seconds that they took
     */
    public double seconds(int tokens) {
        if (used + tokens > room) {
            int sessions = open.size();
            close();
            begin(sessions);
        }
        used += tokens;
        return PairedTimes.seconds(() -> run(tokens));
    }

    private void run(int tokens) {
        int[] next = new int[open.size()];
        for (int i = 0; i < tokens; i++) {
            Arrays.fill(next, (i + 1) % model.vocabSize());
            if (next.length == 1) {
                open.get(0).append(next);
            } else {
                model.appendEach(open, next);
            }
        }
    }

    /**
     * Processes a prompt in a session of its own.
     *
     * @param model the model
     * @param tokens tokens of the prompt
     * @return seconds that it took
     */
    public static double prefillSeconds(CausalLm model, int tokens) {
        int[] prompt = prompt(tokens, model.vocabSize());
        try (DecodeSession session = model.newSession(tokens)) {
            return PairedTimes.seconds(() -> session.append(prompt));
        }
    }

    private static int[] prompt(int length, int vocabulary) {
        int[] prompt = new int[length];
        Arrays.setAll(prompt, i -> (int) ((i + 1) * 7L % vocabulary));
        return prompt;
    }

    @Override
    public void close() {
        open.forEach(DecodeSession::close);
        open.clear();
    }
}
