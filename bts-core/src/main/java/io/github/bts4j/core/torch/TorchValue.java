package io.github.bts4j.core.torch;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.concurrent.atomic.AtomicLong;

/**
 * A kernel argument that is created once and passed to many calls. It has its own references to its tensors; the creator closes it. Thread-safe for
 * reading.
 */
public abstract class TorchValue implements AutoCloseable {
    private final AtomicLong handle;

    TorchValue(long handle) {
        this.handle = new AtomicLong(handle);
    }

    final long handle() {
        long value = handle.get();
        throwIf(value == 0, () -> new IllegalStateException("This " + getClass().getSimpleName() + " is closed: is its model closed?"));
        return value;
    }

    /** Releases the references. Closing twice does nothing. */
    @Override
    public final void close() {
        long value = handle.getAndSet(0);
        if (value != 0) {
            Natives.delete(value);
        }
    }
}
