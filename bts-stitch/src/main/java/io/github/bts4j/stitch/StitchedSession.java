package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.AbstractSession;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.FrozenLm;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.llama.KvCache;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.rows.RowCache;
import io.github.bts4j.core.rows.RowMath;
import io.github.bts4j.core.torch.TensorList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/** A session of a stitched model: one KV cache per stream, one kernel call per token. */
final class StitchedSession extends AbstractSession {
    private final StitchedForward pass;
    private final List<KvCache> caches;
    private final TensorList keys;
    private final TensorList values;

    StitchedSession(FrozenLm model, Lifetime state, StitchedForward pass, int capacity) {
        super(model, state, model.getNDManager(), capacity);
        this.pass = pass;
        Streams streams = pass.streams();
        streams.models().forEach(LlamaModel::requireFilesInPlace);
        Optional<RowMath> math = streams.rows().map(rows -> rows.get(0).math());
        this.caches = streams.models().stream()
                .map(m -> new KvCache(m.getNDManager(), m.config(), m.type(), m.device(), capacity, math)).toList();
        this.keys = TensorList.ofLists(caches.stream().map(KvCache::keys).toList());
        this.values = TensorList.ofLists(caches.stream().map(KvCache::values).toList());
    }

    @Override
    protected NDArray decode(NDManager step, NDArray ids, int start) {
        return pass.decode(step, ids, keys, values, start);
    }

    @Override
    protected Optional<float[]> decodeRows(int[] tokenIds, int start) {
        if (caches.stream().anyMatch(cache -> cache.rows().isEmpty())) {
            return Optional.empty();
        }
        return pass.decodePrompt(tokenIds, caches.stream().map(cache -> cache.rows().orElseThrow()).toList(), start);
    }

    private static Optional<float[][]> decodeRows(StitchedForward pass, List<StitchedSession> sessions, int[] tokenIds, int[] starts) {
        if (sessions.get(0).caches.stream().anyMatch(cache -> cache.rows().isEmpty())) {
            return Optional.empty();
        }
        List<RowCache[]> caches = IntStream.range(0, sessions.get(0).caches.size())
                .mapToObj(i -> sessions.stream().map(session -> session.caches.get(i).rows().orElseThrow()).toArray(RowCache[]::new)).toList();
        return pass.decodeRows(tokenIds, caches, starts);
    }

    /** In one pass those that began with the same weights. */
    static float[][] appendEach(FrozenLm model, List<? extends DecodeSession> sessions, int[] tokenIds) {
        checkEach(model, sessions, tokenIds);
        List<StitchedSession> own = sessions.stream().map(StitchedSession::own).toList();
        List<StitchedForward> passes = own.stream().map(session -> session.pass).distinct().toList();
        if (passes.size() == 1) {
            return appendEach(model, passes.get(0), own, tokenIds);
        }
        float[][] logits = new float[tokenIds.length][];
        for (StitchedForward pass : passes) {
            int[] group = IntStream.range(0, tokenIds.length).filter(i -> own.get(i).pass == pass).toArray();
            float[][] found = appendEach(model, pass, IntStream.of(group).mapToObj(own::get).toList(), IntStream.of(group).map(i -> tokenIds[i]).toArray());
            for (int k = 0; k < group.length; k++) {
                logits[group[k]] = found[k];
            }
        }
        return logits;
    }

    private static float[][] appendEach(FrozenLm model, StitchedForward pass, List<StitchedSession> own, int[] tokenIds) {
        return appendEach(model, own, tokenIds, new Step() {
            @Override
            public Optional<float[][]> decodeRows(int[] tokens, int[] starts) {
                return StitchedSession.decodeRows(pass, own, tokens, starts);
            }

            @Override
            public NDArray decode(NDManager step, NDArray ids, long[] starts) {
                try (TensorList keys = lists(own, KvCache::keys); TensorList values = lists(own, KvCache::values)) {
                    return pass.decodeEach(step, ids, keys, values, starts);
                }
            }
        });
    }

    /** Stream 0 of every session, then stream 1 of every session, and so on. */
    private static TensorList lists(List<StitchedSession> sessions, Function<KvCache, TensorList> part) {
        int streams = sessions.get(0).caches.size();
        return TensorList.ofLists(IntStream.range(0, streams).boxed()
                .flatMap(i -> sessions.stream().map(session -> part.apply(session.caches.get(i)))).toList());
    }

    private static StitchedSession own(DecodeSession session) {
        if (session instanceof StitchedSession stitched) {
            return stitched;
        }
        throw new IllegalArgumentException("A session of another model cannot take part");
    }

    @Override
    protected void release() {
        keys.close();
        values.close();
        caches.forEach(KvCache::close);
    }
}
