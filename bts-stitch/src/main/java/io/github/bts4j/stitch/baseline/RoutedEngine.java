package io.github.bts4j.stitch.baseline;

import io.github.bts4j.core.DecodeBatch;
import io.github.bts4j.core.DecodeEngine;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.KvState;
import java.util.stream.IntStream;

/** Decodes routed experts: a session's first tokens choose a model, which processes all tokens with its own engines. */
final class RoutedEngine implements DecodeEngine<RoutedEngine.State> {
    private final RoutedExperts routed;

    RoutedEngine(RoutedExperts routed) {
        this.routed = routed;
    }

    /** The chosen model's session, if one has been chosen. */
    static final class State implements KvState {
        private final int capacity;
        private int route = -1;
        private DecodeSession session;

        State(int capacity) {
            this.capacity = capacity;
        }

        @Override
        public void close() {
            if (session != null) {
                session.close();
            }
        }
    }

    @Override
    public boolean prefers(DecodeBatch<State> batch) {
        return true;
    }

    @Override
    public float[][] decode(DecodeBatch<State> batch) {
        if (batch.states().size() == 1) {
            return new float[][] {append(batch.states().get(0), batch.tokens())};
        }
        float[][] logits = new float[batch.size()][];
        try {
            for (int model = 0; model < routed.models().size(); model++) {
                int number = model;
                int[] group = IntStream.range(0, logits.length).filter(i -> batch.states().get(i).route == number).toArray();
                if (group.length > 0) {
                    DecodeBatch<DecodeSession> sessions = batch.select(group).map(state -> state.session);
                    float[][] found = routed.models().get(model).appendEach(sessions.states(), sessions.tokens());
                    IntStream.range(0, group.length).forEach(k -> logits[group[k]] = found[k]);
                }
            }
            for (int i = 0; i < logits.length; i++) {
                logits[i] = logits[i] == null ? append(batch.states().get(i), batch.tokens()[i]) : logits[i]; // a prompt of one token
            }
        } catch (RuntimeException | Error e) {
            batch.states().forEach(State::close); // some may have processed their token
            throw e;
        }
        return logits;
    }

    private float[] append(State state, int... tokens) {
        if (state.session != null) {
            return state.session.append(tokens);
        }
        int model = routed.choose(tokens);
        DecodeSession session = routed.models().get(model).newSession(state.capacity);
        try {
            float[] logits = session.append(tokens);
            state.route = model;
            state.session = session;
            return logits;
        } catch (RuntimeException | Error e) {
            session.close();
            throw e;
        }
    }
}
