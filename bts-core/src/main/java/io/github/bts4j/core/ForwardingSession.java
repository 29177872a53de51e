package io.github.bts4j.core;

/** A session that delegates its calls to another one; a base for subclasses. Prompts are calls of {@link #append}, too, so that a subclass sees every token and all logits. */
public abstract class ForwardingSession implements DecodeSession {
    private final DecodeSession session;

    /**
     * Delegates to a session.
     *
     * @param session the delegate
     */
    protected ForwardingSession(DecodeSession session) {
        this.session = session;
    }

    @Override
    public float[] append(int... tokenIds) {
        return session.append(tokenIds);
    }

    @Override
    public int length() {
        return session.length();
    }

    @Override
    public int capacity() {
        return session.capacity();
    }

    @Override
    public void close() {
        session.close();
    }
}
