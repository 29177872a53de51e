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

    @Override
    public void close() {
        streams.forEach(KvCache::close);
    }
}
