package io.github.bts4j.train;

import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;

/** A training that owns its tensors, and whose passes read the trained ones themselves. */
abstract sealed class OwningTraining implements Trainable, AutoCloseable permits LlamaTraining, UpcycledTraining {
    private final Lifetime lifetime = Lifetime.shared("training");
    private final NDManager manager;

    /** A training that closes the manager of its tensors. */
    OwningTraining(NDManager manager) {
        this.manager = manager;
    }

    /** Releases the kernel arguments that refer to the tensors. */
    abstract void releaseArguments();

    @Override
    public NDManager manager() {
        return manager;
    }

    @Override
    public void weightsChanged() {
        // nothing to do: every pass reads the tensors directly
    }

    @Override
    public Lifetime.Lease use() {
        return lifetime.use();
    }

    /** Releases the tensors, after any step or call that another thread is running. Closing again does nothing. */
    @Override
    public void close() {
        lifetime.close(() -> {
            releaseArguments();
            manager.close();
        });
    }
}
