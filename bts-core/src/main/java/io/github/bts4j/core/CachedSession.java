package io.github.bts4j.core;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The session of every model: checks, position, and the state of the model's engines. For one thread at a time, which is checked; any thread may close it.
 *
 * <p>Long prompts are processed in {@linkplain PrefixCache#block blocks}, which depend on the prompt's length alone, so that the bits of the result do not depend on who
 * else is served meanwhile, or on what a prefix cache holds. States that depend on the length of the whole prompt are computed in one pass.
 *
 * @param <S> type of the state between steps
 */
public sealed class CachedSession<S extends KvState> implements DecodeSession permits GatedCachedSession {
    private final CausalLm model;
    private final Lifetime lifetime;
    private final List<DecodeEngine<S>> engines;
    private final S state;
    private final int capacity;
    private volatile int length;
    private int reused;
    private Optional<PrefixCache.Prefix> prefix = Optional.empty();

    /**
     * Starts an empty session.
     *
     * @param model the model
     * @param parent the lifetime of the engines' weights
     * @param engines the engines; sessions with the same list are batched
     * @param capacity tokens
     * @param states creates the state for a number of tokens
     * @throws IllegalStateException if the model is closed
     */
    public CachedSession(CausalLm model, Lifetime parent, List<DecodeEngine<S>> engines, int capacity, IntFunction<S> states) {
        this.model = model;
        this.lifetime = Lifetime.exclusive("session", parent);
        this.engines = engines;
        this.capacity = capacity;
        try {
            this.state = states.apply(capacity);
        } catch (RuntimeException | Error e) {
            lifetime.close(() -> { });
            throw e;
        }
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public final float[] append(int... tokenIds) {
        try (Lifetime.Lease use = lifetime.use()) {
            check(tokenIds);
            return orUnchanged(() -> {
                int done = 0;
                for (int part = advance(tokenIds, 0); part > 0; part = advance(tokenIds, done)) {
                    done += part;
                }
                float[] logits = pass(tokenIds, done, tokenIds.length - done);
                appended();
                return logits;
            });
        }
    }

    /** Receives the gate weights of the session's passes. */
    GateSink gateSink() {
        return GateSink.NONE;
    }

    /** Tokens were appended, and their logits are known. */
    void appended() {
        // nothing to keep
    }

    /** A call has failed. */
    void failed() {
        // nothing was kept
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public final int appendPart(int... tokenIds) {
        try (Lifetime.Lease use = lifetime.use()) {
            check(tokenIds);
            return orUnchanged(() -> advance(tokenIds, 0));
        }
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public final void reuse(PrefixCache cache) {
        try (Lifetime.Lease use = lifetime.use()) {
            if (length == 0 && state.isCausal()) {
                prefix = Optional.of(cache.begin(engines));
            }
        }
    }

    private void check(int... tokenIds) {
        throwIf(tokenIds.length == 0 || tokenIds.length > capacity - length,
                () -> new IllegalArgumentException(tokenIds.length + " new tokens: the session holds " + length + " of " + capacity
                        + "; append between 1 and " + (capacity - length) + ", or open a session with a larger capacity"));
        TokenBatch.check(new int[][] {tokenIds}, model.vocabSize());
    }

    /** States beyond the length are overwritten by the next call. */
    private <T> T orUnchanged(Supplier<T> call) {
        int before = length;
        try {
            return call.get();
        } catch (RuntimeException | Error e) {
            length = before;
            prefix = Optional.empty();
            failed();
            throw e;
        }
    }

    /** Takes over what the prefix cache holds, or else runs one pass up to the end of a block; the last pass is left out. Returns the number of tokens. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // the lease is held by one thread
    private int advance(int[] ids, int from) {
        if (!state.isCausal()) {
            return 0;
        }
        int restored = prefix.map(cached -> cached.restore(state, length, ids, from)).orElse(0);
        length = length + restored;
        reused += restored;
        int block = PrefixCache.block(length, ids.length - from);
        if (restored > 0 || block == 0) {
            return restored;
        }
        pass(ids, from, block);
        return block;
    }

    /** One pass of the engines. Returns float32 logits {@code [vocabulary]}. */
    private float[] pass(int[] ids, int from, int count) {
        int[] tokens = Arrays.copyOfRange(ids, from, from + count);
        int start = length;
        float[] logits = DecodeEngine.decode(engines, DecodeBatch.ofPrompt(tokens, start, state, gateSink()))[0];
        prefix.ifPresent(cached -> cached.keep(start, tokens, () -> state.copy(start, start + count)));
        length = start + count;
        return logits;
    }

    /**
     * Appends one token to each session; sessions with the same engines are batched.
     *
     * @param model the model that all sessions must belong to
     * @param sessions the sessions
     * @param tokenIds the next token of each
     * @return float32 logits {@code [sessions][vocabulary]}
     * @throws IllegalArgumentException as described for {@link CausalLm#appendEach}
     * @throws IllegalStateException if a session or the model is closed, or another thread uses a session; all sessions are unchanged
     */
    @SuppressWarnings({"try", "NonAtomicVolatileUpdate"}) // the lease is only held; it is held by one thread
    public static float[][] appendEach(CausalLm model, List<? extends DecodeSession> sessions, int[] tokenIds) {
        List<CachedSession<?>> members = List.copyOf(sessions.stream().map(session -> member(model, session)).toList());
        try (Lifetime.Lease use = Lifetime.useAll(members.stream().map(session -> session.lifetime).toList())) {
            check(model, members, tokenIds);
            float[][] logits = decoded(members, tokenIds);
            members.forEach(session -> {
                session.length = session.length + 1;
                session.appended();
            });
            return logits;
        }
    }

    private static float[][] decoded(List<CachedSession<?>> members, int[] tokenIds) {
        DecodeBatch<CachedSession<?>> all = new DecodeBatch<>(tokenIds, members.stream().mapToInt(session -> session.length).toArray(), members,
                members.stream().map(CachedSession::gateSink).toList());
        float[][] logits = new float[tokenIds.length][];
        try {
            for (int i = 0; i < logits.length; i++) {
                if (logits[i] == null) {
                    members.get(i).decode(all, logits);
                }
            }
        } catch (RuntimeException | Error e) {
            members.forEach(CachedSession::failed);
            throw e;
        }
        return logits;
    }

    private static CachedSession<?> member(CausalLm model, DecodeSession session) {
        if (session instanceof CachedSession<?> cached && cached.model == model) {
            return cached;
        }
        throw new IllegalArgumentException("A session of another model cannot take part");
    }

    private static void check(CausalLm model, List<CachedSession<?>> sessions, int[] tokenIds) {
        throwIf(sessions.isEmpty() || sessions.size() != tokenIds.length,
                () -> new IllegalArgumentException(sessions.size() + " sessions and " + tokenIds.length + " tokens: give one token per session, and at least one session"));
        TokenBatch.check(new int[][] {tokenIds}, model.vocabSize());
        Set<DecodeSession> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (int i = 0; i < tokenIds.length; i++) {
            CachedSession<?> session = sessions.get(i);
            if (!seen.add(session)) {
                throw new IllegalArgumentException("Session " + i + " is given twice: a session takes one token per step");
            }
            if (session.length >= session.capacity) {
                throw new IllegalArgumentException("Session " + i + " is full: it holds " + session.length + " of " + session.capacity + " tokens");
            }
        }
    }

    /** One step of the sessions that have the same engines, and therefore the same type of state. */
    @SuppressWarnings("unchecked")
    private void decode(DecodeBatch<CachedSession<?>> all, float[][] logits) {
        int[] group = IntStream.range(0, all.size()).filter(i -> (Object) all.state(i).engines == engines).toArray();
        float[][] found = DecodeEngine.decode(engines, all.select(group).map(session -> ((CachedSession<S>) session).state));
        IntStream.range(0, group.length).forEach(k -> logits[group[k]] = found[k]);
    }

    @Override
    public final int reusedTokens() {
        return reused;
    }

    @Override
    public final int length() {
        return length;
    }

    @Override
    public final int capacity() {
        return capacity;
    }

    /** Releases the state, after any call that another thread is running. Closing twice does nothing. */
    @Override
    public final void close() {
        lifetime.close(state::close);
    }
}
