package io.github.bts4j.core;

import java.util.List;
import java.util.Optional;
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
     * Computes a step to its end, and closes it.
     *
     * @param pass the step
     * @return its logits
     */
    static float[][] completed(DecodePass pass) {
        try (pass) {
            boolean complete = false;
            while (!complete) {
                complete = pass.advance();
            }
            return pass.logits();
        }
    }

    /**
     * Steps one after the other.
     *
     * @param steps begin the steps; at least one
     * @return a step with the last one's logits
     */
    static DecodePass sequence(List<Supplier<DecodePass>> steps) {
        return new DecodePass() {
            private int begun;
            private Optional<DecodePass> current = Optional.empty();
            private float[][] logits = {};

            @Override
            public boolean advance() {
                DecodePass pass = current.orElseGet(() -> steps.get(begun++).get());
                current = Optional.of(pass);
                if (!pass.advance()) {
                    return false;
                }
                logits = pass.logits();
                close();
                return begun == steps.size();
            }

            @Override
            public float[][] logits() {
                return logits;
            }

            @Override
            public void close() {
                current.ifPresent(DecodePass::close);
                current = Optional.empty();
            }
        };
    }

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
