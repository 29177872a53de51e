package io.github.bts4j.stitch.baseline;

import io.github.bts4j.core.AbstractSession;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.Lifetime;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** A session of routed experts: the first tokens choose a model, whose own session this is from then on. For one thread at a time. */
final class RoutedSession implements DecodeSession {
    private final RoutedExperts routed;
    private final Lifetime lifetime;
    private final int capacity;
    private Optional<DecodeSession> chosen = Optional.empty();
    private int route;

    RoutedSession(RoutedExperts routed, int capacity) {
        this.routed = routed;
        this.lifetime = Lifetime.exclusive("session", routed.lifetime());
        this.capacity = capacity;
    }

    @Override
    @SuppressWarnings("try") // the lease only has to be open
    public float[] append(int... tokenIds) {
        try (Lifetime.Lease use = lifetime.use()) {
            return chosen.isPresent() ? chosen.get().append(tokenIds) : begin(tokenIds);
        }
    }

    private float[] begin(int[] prompt) {
        if (prompt.length == 0 || prompt.length > capacity) {
            throw new IllegalArgumentException(prompt.length + " new tokens: the session holds 0 of " + capacity + "; append between 1 and " + capacity
                    + ", or open a session with a larger capacity");
        }
        int model = routed.choose(prompt);
        DecodeSession session = routed.models().get(model).newSession(capacity);
        try {
            float[] logits = session.append(prompt);
            route = model;
            chosen = Optional.of(session);
            return logits;
        } catch (RuntimeException e) {
            session.close();
            throw e;
        }
    }

    /** One token for each session, which have been checked; those of one model go through it together. */
    @SuppressWarnings("try") // the lease only has to be open
    static float[][] appendEach(RoutedExperts routed, List<? extends DecodeSession> sessions, int[] tokenIds) {
        List<RoutedSession> own = sessions.stream().map(session -> own(routed, session)).toList();
        try (Lifetime.Lease use = Lifetime.useAll(own.stream().map(session -> session.lifetime).toList())) {
            AbstractSession.checkEach(routed, sessions, tokenIds);
            return appendedEach(routed, own, tokenIds);
        }
    }

    private static float[][] appendedEach(RoutedExperts routed, List<RoutedSession> own, int[] tokenIds) {
        float[][] logits = new float[tokenIds.length][];
        for (int model = 0; model < routed.models().size(); model++) {
            int number = model;
            int[] group = IntStream.range(0, tokenIds.length).filter(i -> own.get(i).isWith(number)).toArray();
            if (group.length > 0) {
                List<DecodeSession> inner = IntStream.of(group).mapToObj(i -> own.get(i).chosen.orElseThrow()).toList();
                float[][] found = routed.models().get(model).appendEach(inner, IntStream.of(group).map(i -> tokenIds[i]).toArray());
                for (int k = 0; k < group.length; k++) {
                    logits[group[k]] = found[k];
                }
            }
        }
        for (int i = 0; i < logits.length; i++) {
            logits[i] = logits[i] == null ? own.get(i).append(tokenIds[i]) : logits[i]; // a prompt of one token
        }
        return logits;
    }

    private boolean isWith(int model) {
        return chosen.isPresent() && route == model;
    }

    private static RoutedSession own(RoutedExperts routed, DecodeSession session) {
        if (session instanceof RoutedSession found && found.routed == routed) {
            return found;
        }
        throw new IllegalArgumentException("A session of another model cannot take part");
    }

    @Override
    public int length() {
        return chosen.map(DecodeSession::length).orElse(0);
    }

    @Override
    public int capacity() {
        return capacity;
    }

    @Override
    public void close() {
        lifetime.close(() -> chosen.ifPresent(DecodeSession::close));
    }
}
