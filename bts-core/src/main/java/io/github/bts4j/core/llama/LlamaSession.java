package io.github.bts4j.core.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.AbstractSession;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.rows.Crew;
import io.github.bts4j.core.rows.RowCache;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.rows.RowStep;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.TensorList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A session of one Llama model. */
final class LlamaSession extends AbstractSession {
    private final Decoder decoder;
    private final Optional<RowDecoder> rows;
    private final KvCache cache;

    LlamaSession(LlamaModel model, Decoder decoder, int capacity) {
        super(model, model.lifetime(), model.getNDManager(), capacity);
        this.decoder = decoder;
        this.rows = decoder.rows();
        this.cache = new KvCache(model.getNDManager(), model.config(), model.type(), model.device(), capacity, rows.map(RowDecoder::math));
    }

    @Override
    protected Optional<float[]> decodeRows(int[] tokenIds, int start) {
        return rows.filter(decoder -> decoder.isFasterForPrompt(tokenIds.length))
                .map(decoder -> decoder.run(Crew.shared(), RowStep.ofPrompt(decoder.embed(tokenIds), start, cache.rows().orElseThrow()))[0]);
    }

    private static float[][] decodeRows(RowDecoder decoder, List<LlamaSession> sessions, int[] tokenIds, int[] starts) {
        RowCache[] caches = sessions.stream().map(session -> session.cache.rows().orElseThrow()).toArray(RowCache[]::new);
        return decoder.run(Crew.shared(), RowStep.ofSessions(decoder.embed(tokenIds), starts, caches));
    }

    @Override
    protected NDArray decode(NDManager step, NDArray ids, int start) {
        try (RopeRows rope = decoder.rope(start, (int) ids.getShape().get(1))) {
            return Decoder.CALLS.tensor(step, Autograd.INFERENCE, "decode", ids, decoder.weights(), decoder.biases(), decoder.dims(),
                    decoder.config().rmsNormEps(), rope.tensors(), rope.row(), cache.keys(), cache.values(), start);
        }
    }

    static float[][] appendEach(LlamaModel model, Decoder decoder, List<? extends DecodeSession> sessions, int[] tokenIds) {
        List<LlamaSession> own = sessions.stream().map(LlamaSession::own).toList();
        return appendEach(model, own, tokenIds, new Step() {
            @Override
            public Optional<float[][]> decodeRows(int[] tokens, int[] starts) {
                return decoder.rows().filter(rows -> rows.isFasterFor(tokens.length)).map(rows -> LlamaSession.decodeRows(rows, own, tokens, starts));
            }

            @Override
            public NDArray decode(NDManager step, NDArray ids, long[] starts) {
                return decodeEach(decoder, own, step, ids, starts);
            }
        });
    }

    private static NDArray decodeEach(Decoder decoder, List<LlamaSession> own, NDManager step, NDArray ids, long[] starts) {
        List<RopeRows> ropes = Arrays.stream(starts).mapToObj(start -> decoder.rope((int) start, 1)).toList();
        try (TensorList tables = TensorList.ofLists(ropes.stream().map(RopeRows::tensors).toList());
                TensorList keys = TensorList.ofLists(own.stream().map(session -> session.cache.keys()).toList());
                TensorList values = TensorList.ofLists(own.stream().map(session -> session.cache.values()).toList())) {
            return Decoder.CALLS.tensor(step, Autograd.INFERENCE, "decode_sessions", ids, decoder.weights(), decoder.biases(), decoder.dims(),
                    decoder.config().rmsNormEps(), tables, ropes.stream().mapToLong(RopeRows::row).toArray(), keys, values, starts);
        } finally {
            ropes.forEach(RopeRows::close);
        }
    }

    private static LlamaSession own(DecodeSession session) {
        if (session instanceof LlamaSession llama) {
            return llama;
        }
        throw new IllegalArgumentException("A session of another model cannot take part");
    }

    @Override
    protected void release() {
        cache.close();
    }
}
