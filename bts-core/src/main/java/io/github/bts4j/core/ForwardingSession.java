package io.github.bts4j.core;

/** A session that passes every call on to another one; subclasses change what they have to. */
public abstract class ForwardingSession implements DecodeSession {
    private final DecodeSession session;

    /**
     * Passes calls on.
     *
     * @param session what the calls go to
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
