package io.github.bts4j.core;

import java.util.function.Supplier;

/** A step of decoding in parts, between which other steps may run. For one thread at a time; whoever began it closes it. */
public interface DecodePass extends AutoCloseable {
    /**
     * Computes for a while.
     *
     * @return true if the step is complete: the states hold its tokens
     */
    boolean advance();

    /**
     * The result of a complete step.
     *
     * @return float32 logits {@code [sessions][vocabulary]} of the token after each session's last one; anything if the batch wants none
     */
    float[][] logits();

    /** Releases what the step holds between its parts. */
    @Override
    void close();

    /**
     * A step of one part.
     *
     * @param step computes it
     * @return the step
     */
    static DecodePass whole(Supplier<float[][]> step) {
        return new DecodePass() {
            private float[][] logits = {};

            @Override
            public boolean advance() {
                logits = step.get();
                return true;
            }

            @Override
            public float[][] logits() {
                return logits;
            }

            @Override
            public void close() {
                // holds nothing
            }
        };
    }
}
