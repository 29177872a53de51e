package io.github.bts4j.core.torch.llama;

import io.github.bts4j.core.KvState;
import io.github.bts4j.core.rows.RowCache;
import java.util.ArrayList;
import java.util.List;

/**
 * The state of a session with one or more decoders: one cache per stream.
 *
 * @param streams the caches
 */
public record KvCaches(List<KvCache> streams) implements KvState {
    /** Copies of all streams' keys and values. */
    private record CopiedStreams(List<KvCache.Copy> streams) implements Block {
        @Override
        public long bytes() {
            return streams.stream().mapToLong(KvCache.Copy::bytes).sum();
        }

        @Override
        public void close() {
            streams.forEach(KvCache.Copy::close);
        }
    }

    /**
     * Allocates caches.
     *
     * @param decoders the streams
     * @param capacity tokens
     * @return empty caches
     */
    public static KvCaches of(List<Decoder> decoders, int capacity) {
        KvCaches made = new KvCaches(new ArrayList<>());
        try {
            decoders.forEach(decoder -> made.streams.add(decoder.newCache(capacity)));
        } catch (RuntimeException | Error e) {
            made.close();
            throw e;
        }
        return made;
    }

    /**
     * A stream's cache as matrices.
     *
     * @param stream index of the stream; streams beyond the last cache share it
     * @return keys and values by layer and head
     */
    public RowCache rows(int stream) {
        return streams.get(Math.min(stream, streams.size() - 1)).rows().orElseThrow();
    }

    /** True unless the rotations of a stream depend on the sequence length within this capacity. */
    @Override
    public boolean isCausal() {
        return streams.stream().allMatch(KvCache::isCausal);
    }

    @Override
    public Block copy(int from, int to) {
        CopiedStreams copy = new CopiedStreams(new ArrayList<>());
        try {
            streams.forEach(stream -> copy.streams.add(stream.copy(from, to)));
        } catch (RuntimeException | Error e) {
            copy.close();
            throw e;
        }
        return copy;
    }

    @Override
    public void restore(Block block, int from) {
        List<KvCache.Copy> copies = ((CopiedStreams) block).streams;
        for (int i = 0; i < copies.size(); i++) {
            streams.get(i).restore(copies.get(i), from);
        }
    }

    @Override
    public void close() {
        streams.forEach(KvCache::close);
    }
}
