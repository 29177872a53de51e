package io.github.bts4j.core.rows;

import io.github.bts4j.core.DecodeBatch;
import io.github.bts4j.core.DecodeEngine;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/**
 * Decodes few tokens at a time in Java: all threads of a {@link WorkerTeam} compute a step together.
 *
 * @param <S> type of a session's state
 */
public final class RowEngine<S> implements DecodeEngine<S> {
    private final List<RowDecoder> streams;
    private final BiFunction<S, Integer, RowCache> caches;
    private final ParallelismTuner tuner;
    private final Layers layers;
    private final WorkerTeam team;

    /** The layers of all streams, and the operations between them. */
    @FunctionalInterface
    public interface Layers {
        /**
         * One worker's share of all layers; the states are complete when it returns.
         *
         * @param share the worker's share
         * @param steps the step as each stream sees it
         */
        void run(WorkerTeam.Share share, List<RowStep> steps);

        /**
         * The same, and this worker's share of the gates between the streams, if there are any.
         *
         * @param share the worker's share
         * @param steps the step as each stream sees it
         * @param gates receives the gates
         */
        default void run(WorkerTeam.Share share, List<RowStep> steps, GateSums gates) {
            run(share, steps);
        }

        /**
         * Prepares the argument of {@link #run}.
         *
         * @param steps the step as each stream sees it
         * @return the same, followed by what all workers share
         */
        default List<RowStep> prepared(List<RowStep> steps) {
            return steps;
        }
    }

    /**
     * Creates an engine.
     *
     * @param streams the decoders; the first one computes the logits
     * @param caches finds the KV cache of a stream, by its number, in a session's state
     * @param layers computes the layers
     * @param team the workers
     * @param tuner measurements of such steps
     */
    public RowEngine(List<RowDecoder> streams, BiFunction<S, Integer, RowCache> caches, Layers layers, WorkerTeam team, ParallelismTuner tuner) {
        this.streams = streams;
        this.caches = caches;
        this.tuner = tuner;
        this.layers = layers;
        this.team = team;
    }

    @Override
    public boolean prefers(DecodeBatch<S> batch) {
        return streams.stream().allMatch(stream -> stream.isFasterFor(batch));
    }

    @Override
    public float[][] decode(DecodeBatch<S> batch) {
        RowDecoder hub = streams.get(0);
        List<RowStep> steps = IntStream.range(0, streams.size()).mapToObj(i -> streams.get(i).step(batch.map(state -> caches.apply(state, i)))).toList();
        float[][] logits = batch.wantsLogits() ? hub.newLogits(steps.get(0)) : new float[0][];
        List<RowStep> prepared = layers.prepared(steps);
        GateSums gates = batch.wantsGates() ? new GateSums() : GateSums.NONE;
        team.run(tuner, batch.size(), share -> {
            layers.run(share, prepared, gates);
            if (batch.wantsLogits()) {
                hub.logits(share, steps.get(0), logits);
            }
        });
        if (batch.wantsGates()) {
            batch.deliver(gates.means(batch.size()));
        }
        return logits;
    }
}
