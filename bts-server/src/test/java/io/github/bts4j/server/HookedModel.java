package io.github.bts4j.server;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.ForwardingLm;
import io.github.bts4j.core.ForwardingSession;

/** A model in whose computations a test has a hand. It does not close the model that computes. */
final class HookedModel extends ForwardingLm {
    /** What happens before a computation; what it throws is thrown instead of it. */
    interface Hook {
        /** Before tokens are processed. */
        void append(int[] ids);

        /** After a session is closed that was made with this capacity. */
        default void close(int capacity) {}
    }

    private final Hook hook;

    /**
     * Over a model.
     *
     * @param model what computes
     * @param hook what happens before
     */
    HookedModel(CausalLm model, Hook hook) {
        super(model);
        this.hook = hook;
    }

    @Override
    public DecodeSession newSession(int capacity) {
        return new ForwardingSession(super.newSession(capacity)) {
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
    public NDArray forward(NDArray ids) {
        throw new NoClassDefFoundError("as if");
    }

    @Override
    public float[][] logits(int... tokenIds) {
        throw new NoClassDefFoundError("as if");
    }

    @Override
    public void close() {}
}
