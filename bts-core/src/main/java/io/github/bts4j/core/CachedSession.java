package io.github.bts4j.core;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.ArrayList;
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
 * else is served meanwhile, or on what a prefix cache holds. States that depend on the length of the whole prompt are computed in one pass. Several blocks go through each layer
 * together, as one block after the other, so that a quantised matrix is dequantised once for all of them.
 *
 * @param <S> type of the state between steps
 */
public sealed class CachedSession<S extends KvState> implements DecodeSession permits GatedCachedSession {
    private static final float[] NOTHING = {};

    /** The most tokens of several blocks that go through each layer together: a pass is interrupted between layers only. */
    private static final int TOGETHER = 2 * PrefixCache.BLOCK;

    private final CausalLm model;
    private final Lifetime lifetime;
    private final List<DecodeEngine<S>> engines;
    private final S state;
    private final int capacity;
    private volatile int length;
    private int reused;
    private Optional<PrefixCache.Prefix> prefix = Optional.empty();
    private Optional<Begun<S>> pending = Optional.empty();

    /** A pass over tokens that are not appended yet. */
    private record Begun<S>(List<DecodeBatch<S>> blocks, DecodePass pass) {}

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
                abandon();
                int done = restored(tokenIds);
                float[] logits = NOTHING;
                while (done < tokenIds.length) {
                    List<DecodeBatch<S>> blocks = nextBlocks(tokenIds, done);
                    logits = pass(blocks);
                    done += size(blocks);
                }
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
    public final float[] appendPart(int... tokenIds) {
        try (Lifetime.Lease use = lifetime.use()) {
            check(tokenIds);
            return orUnchanged(() -> {
                int from = pending.isEmpty() ? restored(tokenIds) : 0;
                List<DecodeBatch<S>> blocks = nextBlocks(tokenIds, from);
                DecodePass pass = begun(blocks);
                if (!pass.advance()) {
                    return NOTHING;
                }
                float[][] logits = pass.logits();
                abandon();
                passed(blocks);
                if (from + size(blocks) < tokenIds.length) {
                    return NOTHING;
                }
                appended();
                return logits[0];
            });
        }
    }

    /** The pass over these tokens that was begun before, or a new one. */
    private DecodePass begun(List<DecodeBatch<S>> blocks) {
        if (pending.filter(before -> isSame(before.blocks, blocks)).isEmpty()) {
            abandon();
            pending = Optional.of(new Begun<>(blocks, DecodeEngine.preferred(engines, blocks.get(0)).begin(blocks)));
        }
        return pending.orElseThrow().pass;
    }

    private static <S> boolean isSame(List<DecodeBatch<S>> blocks, List<DecodeBatch<S>> others) {
        return blocks.size() == others.size() && IntStream.range(0, blocks.size()).allMatch(i -> blocks.get(i).wantsLogits() == others.get(i).wantsLogits()
                && Arrays.equals(blocks.get(i).positions(), others.get(i).positions()) && Arrays.equals(blocks.get(i).tokens(), others.get(i).tokens()));
    }

    private void abandon() {
        pending.ifPresent(before -> before.pass.close());
        pending = Optional.empty();
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
        throwIf(tokenIds.length == 0, () -> new IllegalArgumentException("No new tokens: append at least one"));
        throwIf(tokenIds.length > capacity - length, () -> new IllegalArgumentException(tokenIds.length + (tokenIds.length == 1 ? " new token" : " new tokens") + ": the session holds "
                + length + " of " + capacity + (length == capacity ? " and is full; open one" : "; append at most " + (capacity - length) + ", or open a session") + " with a larger capacity"));
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
            abandon();
            failed();
            throw e;
        }
    }

    /** Takes over what the prefix cache holds. Returns the number of tokens. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // the lease is held by one thread
    private int restored(int... ids) {
        int restored = prefix.map(cached -> cached.restore(state, length, ids)).orElse(0);
        length = length + restored;
        reused += restored;
        return restored;
    }

    /** The next blocks of a prompt that one engine computes together. */
    private List<DecodeBatch<S>> nextBlocks(int[] ids, int from) {
        List<DecodeBatch<S>> blocks = new ArrayList<>();
        int done = from;
        while (done < ids.length) {
            DecodeBatch<S> next = nextBlock(ids, done, length + done - from);
            if (!blocks.isEmpty() && (done + next.size() - from > TOGETHER || DecodeEngine.preferred(engines, next) != DecodeEngine.preferred(engines, blocks.get(0)))) {
                break;
            }
            blocks.add(next);
            done += next.size();
        }
        return blocks;
    }

    /** The block that begins at a token of a prompt. Only the logits after the last token are wanted. */
    private DecodeBatch<S> nextBlock(int[] ids, int at, int start) {
        int block = state.isCausal() ? PrefixCache.block(start, ids.length - at) : 0;
        DecodeBatch<S> batch = DecodeBatch.ofPrompt(Arrays.copyOfRange(ids, at, block > 0 ? at + block : ids.length), start, state, gateSink());
        return block > 0 ? batch.withoutLogits() : batch;
    }

    private static int size(List<? extends DecodeBatch<?>> blocks) {
        return blocks.stream().mapToInt(DecodeBatch::size).sum();
    }

    /** One pass of an engine. Returns float32 logits {@code [vocabulary]} if it is the last one. */
    private float[] pass(List<DecodeBatch<S>> blocks) {
        DecodeEngine<S> engine = DecodeEngine.preferred(engines, blocks.get(0));
        float[][] logits = blocks.size() == 1 ? engine.decode(blocks.get(0)) : DecodePass.completed(engine.begin(blocks));
        passed(blocks);
        return blocks.get(blocks.size() - 1).wantsLogits() ? logits[0] : NOTHING;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // the lease is held by one thread
    private void passed(List<DecodeBatch<S>> blocks) {
        for (DecodeBatch<S> block : blocks) {
            int start = length;
            prefix.ifPresent(cached -> cached.keep(start, block.tokens(), () -> state.copy(start, start + block.size())));
            length = start + block.size();
        }
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
        lifetime.close(() -> {
            abandon();
            state.close();
        });
    }
}
