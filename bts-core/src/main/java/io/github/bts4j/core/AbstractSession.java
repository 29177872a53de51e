package io.github.bts4j.core;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What sessions of all models share: checks, position, and the step scope in which one call's tensors live. For one thread at a time, which is checked; closed
 * from any thread.
 */
public abstract class AbstractSession implements DecodeSession {
    private final CausalLm model;
    private final NDManager manager;
    private final int capacity;
    private final Lifetime lifetime;
    private volatile int length;

    /**
     * Starts an empty session.
     *
     * @param model the model
     * @param state the lifetime of what it decodes with
     * @param manager parent of the step scopes, on the model's device
     * @param capacity tokens
     * @throws IllegalStateException if the model is closed
     */
    protected AbstractSession(CausalLm model, Lifetime state, NDManager manager, int capacity) {
        this.lifetime = Lifetime.exclusive("session", state);
        this.model = model;
        this.manager = manager;
        this.capacity = capacity;
    }

    @Override
    @SuppressWarnings("try") // the lease only has to be open
    public final float[] append(int... tokenIds) {
        try (Lifetime.Lease use = lifetime.use()) {
            return appended(tokenIds);
        }
    }

    private float[] appended(int[] tokenIds) {
        if (tokenIds.length == 0 || tokenIds.length > capacity - length) {
            throw new IllegalArgumentException(tokenIds.length + " new tokens: the session holds " + length + " of " + capacity
                    + "; append between 1 and " + (capacity - length) + ", or open a session with a larger capacity");
        }
        TokenBatch.check(new int[][] {tokenIds}, model.vocabSize());
        float[] logits = decodeRows(tokenIds, length).orElseGet(() -> decodeAll(tokenIds, length));
        length = length + tokenIds.length;
        return logits;
    }

    private float[] decodeAll(int[] tokenIds, int start) {
        try (NDManager step = manager.newSubManager()) {
            NDArray ids = TokenBatch.tensor(step, new int[][] {tokenIds}, 0, tokenIds.length, model.vocabSize());
            return decode(step, ids, start).toFloatArray();
        }
    }

    /**
     * Runs new tokens through the model row by row and writes the caches, where that is possible and faster.
     *
     * @param tokenIds the tokens, which are in range
     * @param start the number of tokens already in the caches
     * @return logits {@code [vocabulary]} of the last token, or empty if {@link #decode} has to do it
     */
    protected Optional<float[]> decodeRows(int[] tokenIds, int start) {
        return Optional.empty();
    }

    /** What a model does with one new token of each session. */
    protected interface Step {
        /**
         * Runs the new tokens through the model in libtorch and writes the caches.
         *
         * @param step owner of the result
         * @param ids int64 {@code [1, sessions]}
         * @param starts the number of tokens already in each session's caches
         * @return float32 logits {@code [sessions, vocabulary]}
         */
        NDArray decode(NDManager step, NDArray ids, long[] starts);

        /**
         * Does the same row by row, where that is possible and faster.
         *
         * @param tokenIds the new tokens
         * @param starts the number of tokens already in each session's caches
         * @return logits {@code [sessions][vocabulary]}, or empty if {@link #decode} has to do it
         */
        Optional<float[][]> decodeRows(int[] tokenIds, int[] starts);
    }

    /**
     * Appends one token to each session in one pass.
     *
     * @param model the model that all sessions must belong to
     * @param sessions the sessions, of this class
     * @param tokenIds the next token of each
     * @param pass what computes
     * @return float32 logits {@code [sessions][vocabulary]}
     * @throws IllegalArgumentException as {@link CausalLm#appendEach} says
     * @throws IllegalStateException if a session or the model is closed, or another thread uses a session; all sessions are unchanged
     */
    @SuppressWarnings("try") // the lease only has to be open
    protected static float[][] appendEach(CausalLm model, List<? extends AbstractSession> sessions, int[] tokenIds, Step pass) {
        List<AbstractSession> members = List.copyOf(sessions);
        members.forEach(session -> session.checkMember(model));
        try (Lifetime.Lease use = Lifetime.useAll(members.stream().map(session -> session.lifetime).toList())) {
            return appendedEach(model, members, tokenIds, pass);
        }
    }

    private static float[][] appendedEach(CausalLm model, List<AbstractSession> members, int[] tokenIds, Step pass) {
        checkEach(model, members, tokenIds);
        float[][] logits = pass.decodeRows(tokenIds, members.stream().mapToInt(session -> session.length).toArray())
                .orElseGet(() -> decodeEach(model, members, tokenIds, pass));
        members.forEach(session -> session.length = session.length + 1);
        return logits;
    }

    private static float[][] decodeEach(CausalLm model, List<AbstractSession> members, int[] tokenIds, Step pass) {
        try (NDManager step = members.get(0).manager.newSubManager()) {
            NDArray ids = TokenBatch.tensor(step, new int[][] {tokenIds}, 0, tokenIds.length, model.vocabSize());
            float[] flat = pass.decode(step, ids, members.stream().mapToLong(session -> session.length).toArray()).toFloatArray();
            return TokenBatch.rows(flat, tokenIds.length);
        }
    }

    /**
     * Checks the arguments of {@link CausalLm#appendEach} before anything is computed.
     *
     * @param model the model
     * @param sessions the sessions
     * @param tokenIds the next token of each
     * @throws IllegalArgumentException if a token is out of range, a session is full or named twice, or the numbers differ
     */
    public static void checkEach(CausalLm model, List<? extends DecodeSession> sessions, int[] tokenIds) {
        if (sessions.isEmpty() || sessions.size() != tokenIds.length) {
            throw new IllegalArgumentException(sessions.size() + " sessions and " + tokenIds.length + " tokens: give one token to each of at least one session");
        }
        TokenBatch.check(new int[][] {tokenIds}, model.vocabSize());
        Set<DecodeSession> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (int i = 0; i < tokenIds.length; i++) {
            DecodeSession session = sessions.get(i);
            if (!seen.add(session)) {
                throw new IllegalArgumentException("Session " + i + " is named twice: a session takes one token per step");
            }
            if (session.length() >= session.capacity()) {
                throw new IllegalArgumentException("Session " + i + " is full: it holds " + session.length() + " of " + session.capacity() + " tokens");
            }
        }
    }

    private void checkMember(CausalLm of) {
        if (of != model) {
            throw new IllegalArgumentException("A session of another model cannot take part");
        }
    }

    /**
     * Runs the new tokens through the model and writes the caches.
     *
     * @param step owner of the result
     * @param ids int64 {@code [1, new tokens]}
     * @param start the number of tokens already in the caches
     * @return float32 logits {@code [1, vocabulary]} of the last token
     */
    protected abstract NDArray decode(NDManager step, NDArray ids, int start);

    /** Releases the caches; called once. */
    protected abstract void release();

    @Override
    public final int length() {
        return length;
    }

    @Override
    public final int capacity() {
        return capacity;
    }

    /** Releases the caches, after the call that another thread may be in. Closing again does nothing. */
    @Override
    public final void close() {
        lifetime.close(this::release);
    }
}
