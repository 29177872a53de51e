package io.github.bts4j.core;

import java.util.List;
import java.util.function.Supplier;

/**
 * An engine that decodes a model: libtorch, Java's vector instructions, or other models. A model has a list of engines; the first one that prefers a batch runs it. Thread-safe.
 *
 * @param <S> type of a session's state
 */
public interface DecodeEngine<S> {
    /**
     * Whether this engine should run a batch. The last engine of a list accepts all.
     *
     * @param batch the batch
     * @return true if it supports the batch and is faster than the engines after it
     */
    boolean prefers(DecodeBatch<S> batch);

    /**
     * Computes a step and adds the batch's tokens to the states. On failure the states are unchanged or closed.
     *
     * @param batch the batch
     * @return float32 logits {@code [sessions][vocabulary]} of the token after each session's last one; anything if the batch wants none
     */
    float[][] decode(DecodeBatch<S> batch);

    /**
     * Begins a step whose parts are computed later.
     *
     * @param batch the batch
     * @return the step, which the caller closes; by default it has one part
     */
    default DecodePass begin(DecodeBatch<S> batch) {
        return DecodePass.whole(() -> decode(batch));
    }

    /**
     * Begins the steps of a prompt in blocks. The bits of the result are those of one step after the other.
     *
     * @param blocks consecutive tokens of one session; only the last block may want logits
     * @return a step, which the caller closes
     */
    default DecodePass begin(List<DecodeBatch<S>> blocks) {
        return DecodePass.sequence(blocks.stream().<Supplier<DecodePass>>map(block -> () -> begin(block)).toList());
    }

    /**
     * Runs a batch on the first engine that prefers it.
     *
     * @param engines the engines
     * @param batch the batch
     * @return float32 logits {@code [sessions][vocabulary]}
     * @param <S> type of a session's state
     */
    static <S> float[][] decode(List<DecodeEngine<S>> engines, DecodeBatch<S> batch) {
        return preferred(engines, batch).decode(batch);
    }

    /**
     * The first engine that prefers a batch.
     *
     * @param engines the engines
     * @param batch the batch
     * @return one of them
     * @param <S> type of a session's state
     */
    static <S> DecodeEngine<S> preferred(List<DecodeEngine<S>> engines, DecodeBatch<S> batch) {
        return engines.stream().filter(engine -> engine.prefers(batch)).findFirst().orElseThrow();
    }
}
