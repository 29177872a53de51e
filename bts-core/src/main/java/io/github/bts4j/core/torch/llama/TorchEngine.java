package io.github.bts4j.core.torch.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeBatch;
import io.github.bts4j.core.DecodeEngine;
import io.github.bts4j.core.DecodePass;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.rows.ParallelismTuner;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.rows.RowEngine;
import io.github.bts4j.core.rows.WorkerTeam;
import io.github.bts4j.core.torch.TensorList;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.TorchList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/** Decodes in libtorch: one kernel call per step, for any batch on any device. */
public final class TorchEngine implements DecodeEngine<KvCaches> {
    /** Tokens; with fewer, a step is not worth more than one call. */
    private static final int SHORT = 32;

    private final List<Decoder> streams;
    private final Kernel kernel;

    /** A model's kernel. */
    @FunctionalInterface
    public interface Kernel {
        /**
         * Runs the new tokens through the model and appends them to the caches.
         *
         * @param step owner of the result
         * @param ids int64 {@code [1, tokens]}
         * @param ropes the rotary tables of the tokens
         * @param caches the caches of the sessions
         * @return float32 logits {@code [sessions, vocabulary]}
         */
        NDArray logits(NDManager step, NDArray ids, Ropes ropes, Caches caches);

        /**
         * The same, and the gates, averaged over the channels.
         *
         * @param step owner of the results
         * @param ids int64 {@code [1, tokens]}
         * @param ropes the rotary tables of the tokens
         * @param caches the caches of the sessions
         * @return the logits, then for each layer with gates float32 {@code [tokens, models]}
         */
        default List<NDArray> logitsAndGates(NDManager step, NDArray ids, Ropes ropes, Caches caches) {
            return List.of(logits(step, ids, ropes, caches));
        }

        /**
         * The layers, from 1 and ascending, after which the streams exchange something, and the last layer.
         *
         * @return numbers of layers; none if a prompt is one call of {@link #logits}
         */
        default long[] joints() {
            return new long[0];
        }

        /**
         * What the streams exchange.
         *
         * @param step owner of the results
         * @param states the states of all streams, {@code [1, tokens, hidden]}
         * @param joint number of the joint, from 0
         * @return the states after it; the same list if there is nothing to exchange
         */
        default List<NDArray> joined(NDManager step, List<NDArray> states, int joint) {
            return states;
        }

        /**
         * The gates of what the streams exchange, averaged over the channels.
         *
         * @param step owner of the results
         * @param states the states of all streams, {@code [1, tokens, hidden]}
         * @param joint number of the joint, from 0
         * @return float32 {@code [tokens, models]}; nothing if this joint has none
         */
        default List<NDArray> gates(NDManager step, List<NDArray> states, int joint) {
            return List.of();
        }
    }

    /**
     * The sessions' caches as the kernels take them: stream 0 of every session, then stream 1 of every session, and so on.
     *
     * @param keys a list of the layers' keys for each stream and session
     * @param values the same of the values
     * @param starts the number of tokens in each session's caches
     */
    public record Caches(TorchList<TensorList> keys, TorchList<TensorList> values, long... starts) implements AutoCloseable {
        /**
         * The caches of a step.
         *
         * @param batch the step
         * @return lists, which the caller closes
         */
        public static Caches of(DecodeBatch<KvCaches> batch) {
            return new Caches(lists(batch.states(), KvCache::keys), lists(batch.states(), KvCache::values), Arrays.stream(batch.starts()).asLongStream().toArray());
        }

        private static TorchList<TensorList> lists(List<KvCaches> states, Function<KvCache, TensorList> part) {
            List<TensorList> lists = new ArrayList<>();
            for (int stream = 0; stream < states.get(0).streams().size(); stream++) {
                for (KvCaches state : states) {
                    lists.add(part.apply(state.streams().get(stream)));
                }
            }
            return TensorList.ofLists(lists);
        }

        @Override
        public void close() {
            keys.close();
            values.close();
        }
    }

    private TorchEngine(List<Decoder> streams, Kernel kernel) {
        this.streams = streams;
        this.kernel = kernel;
    }

    /**
     * The engine of a model that consists of decoders.
     *
     * @param streams the decoders; the first one computes the logits
     * @param kernel computes a step
     * @return the engine
     */
    public static DecodeEngine<KvCaches> of(List<Decoder> streams, Kernel kernel) {
        return new TorchEngine(streams, kernel);
    }

    /**
     * The engines of a model that consists of decoders: Java's vector instructions, if they support all of the decoders, and libtorch.
     *
     * @param streams the decoders; the first one computes the logits
     * @param kernel computes a step in libtorch
     * @param tuner measurements of steps in Java
     * @param layers creates the computation of a step's layers in Java
     * @return the engines in the order of preference
     */
    public static List<DecodeEngine<KvCaches>> orRows(List<Decoder> streams, Kernel kernel, ParallelismTuner tuner, Function<List<RowDecoder>, RowEngine.Layers> layers) {
        DecodeEngine<KvCaches> torch = new TorchEngine(streams, kernel);
        List<RowDecoder> rows = streams.stream().flatMap(stream -> stream.rows().stream()).toList();
        return rows.size() < streams.size() ? List.of(torch) : List.of(new RowEngine<>(rows, KvCaches::rows, layers.apply(rows), WorkerTeam.shared(Torch.threads()), tuner), torch);
    }

    @Override
    public boolean prefers(DecodeBatch<KvCaches> batch) {
        return true;
    }

    @Override
    public DecodePass begin(DecodeBatch<KvCaches> batch) {
        return hasParts(batch) && batch.size() >= SHORT ? pass(List.of(batch)) : DecodePass.whole(() -> decode(batch));
    }

    @Override
    public DecodePass begin(List<DecodeBatch<KvCaches>> blocks) {
        boolean isLong = blocks.stream().mapToInt(DecodeBatch::size).sum() >= SHORT;
        return isLong && blocks.stream().allMatch(this::hasParts) ? pass(blocks) : DecodeEngine.super.begin(blocks);
    }

    private DecodePass pass(List<DecodeBatch<KvCaches>> blocks) {
        return new TorchPass(Decoder.CALLS, streams, kernel, blocks);
    }

    private boolean hasParts(DecodeBatch<KvCaches> batch) {
        return batch.isPrompt() && kernel.joints().length > 0 && streams.stream().map(Decoder::device).distinct().count() == 1;
    }

    @Override
    public float[][] decode(DecodeBatch<KvCaches> batch) {
        if (!batch.wantsLogits() && hasParts(batch)) {
            return DecodePass.completed(pass(List.of(batch)));
        }
        Decoder hub = streams.get(0);
        try (NDManager step = Torch.manager().newSubManager(hub.device()); Ropes ropes = Ropes.of(streams, batch); Caches caches = Caches.of(batch)) {
            NDArray ids = ids(step, batch, hub);
            if (!batch.wantsGates()) {
                return TokenBatch.rows(kernel.logits(step, ids, ropes, caches).toFloatArray(), batch.states().size());
            }
            List<NDArray> found = kernel.logitsAndGates(step, ids, ropes, caches);
            float[][] logits = TokenBatch.rows(found.get(0).toFloatArray(), batch.states().size());
            batch.deliver(weights(found.subList(1, found.size()), batch.size()));
            return logits;
        }
    }

    static NDArray ids(NDManager step, DecodeBatch<?> batch, Decoder hub) {
        return TokenBatch.tensor(step, new int[][] {batch.tokens()}, 0, batch.size(), hub.config().vocabSize());
    }

    static float[][][] weights(List<NDArray> means, int tokens) {
        float[][][] weights = new float[tokens][means.size()][];
        for (int k = 0; k < means.size(); k++) {
            float[][] layer = TokenBatch.rows(Tensors.toFloats(means.get(k)), tokens);
            for (int t = 0; t < tokens; t++) {
                weights[t][k] = layer[t];
            }
        }
        return weights;
    }
}
