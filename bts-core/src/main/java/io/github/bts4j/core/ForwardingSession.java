package io.github.bts4j.core;

/** A session that delegates all calls to another one; a base for subclasses. */
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
    public float[] appendPart(int... tokenIds) {
        return session.appendPart(tokenIds);
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
