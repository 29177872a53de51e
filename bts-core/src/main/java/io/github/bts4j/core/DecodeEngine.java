package io.github.bts4j.core;

import java.util.List;

/**
 * A way to decode a model: libtorch, Java's vector instructions, or other models. A model has a list of them, of which the first that prefers a batch runs it. Thread-safe.
 *
 * @param <S> what a session keeps
 */
public interface DecodeEngine<S> {
    /**
     * Whether this is the engine for a batch. The last one of a list takes all.
     *
     * @param batch what to compute
     * @return true if it can compute it, and faster than the engines after it
     */
    boolean prefers(DecodeBatch<S> batch);

    /**
     * Computes a step: the states hold the batch's tokens afterwards. Where it fails they hold what they held, or are closed.
     *
     * @param batch what to compute
     * @return float32 logits {@code [sessions][vocabulary]} of the token after each session's last one
     */
    float[][] decode(DecodeBatch<S> batch);

    /**
     * Runs a batch on the first engine that prefers it.
     *
     * @param engines the engines
     * @param batch what to compute
     * @return float32 logits {@code [sessions][vocabulary]}
     * @param <S> what a session keeps
     */
    static <S> float[][] decode(List<DecodeEngine<S>> engines, DecodeBatch<S> batch) {
        return engines.stream().filter(engine -> engine.prefers(batch)).findFirst().orElseThrow().decode(batch);
    }
}
