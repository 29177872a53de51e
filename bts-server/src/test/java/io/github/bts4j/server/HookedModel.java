package io.github.bts4j.server;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.ForwardingSession;
import java.util.List;

/**
 * A model in whose computations a test has a hand.
 *
 * @param model what computes
 * @param hook what happens before
 */
record HookedModel(CausalLm model, Hook hook) implements CausalLm {
    /** What happens before a computation; what it throws is thrown instead of it. */
    interface Hook {
        /** Before tokens are processed. */
        void append(int[] ids);

        /** Before a session is closed that was made with this capacity. */
        default void close(int capacity) {}
    }

    @Override
    public DecodeSession newSession(int capacity) {
        return new ForwardingSession(model.newSession(capacity)) {
            @Override
            public float[] append(int... ids) {
                hook.append(ids);
                return super.append(ids);
            }

            @Override
            public void close() {
                super.close();
                hook.close(capacity);
            }
        };
    }

    @Override
    public float[][] appendEach(List<? extends DecodeSession> sessions, int[] ids) {
        float[][] logits = new float[ids.length][];
        for (int i = 0; i < ids.length; i++) {
            logits[i] = sessions.get(i).append(ids[i]);
        }
        return logits;
    }

    @Override
    public int vocabSize() {
        return model.vocabSize();
    }

    @Override
    public int contextLength() {
        return model.contextLength();
    }

    @Override
    public Device device() {
        return model.device();
    }

    @Override
    public NDArray forward(NDArray ids) {
        throw new NoClassDefFoundError("as if");
    }

    @Override
    public float[][] logits(int... tokenIds) {
        throw new NoClassDefFoundError("as if");
    }

    @Override
    public float[][] tokenLosses(int[][] tokens) {
        return model.tokenLosses(tokens);
    }

    @Override
    public void close() {}
}
