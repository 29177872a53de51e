package io.github.bts4j.train;

import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Delays the end of the process, after a signal, until the guard is closed. */
final class ShutdownGuard implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ShutdownGuard.class);

    static final ShutdownGuard NONE = new ShutdownGuard(() -> { });

    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread hook;

    private ShutdownGuard(Runnable stop) {
        this.hook = new Thread(() -> {
            stop.run();
            try {
                done.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }, "bts4j-shutdown");
    }

    /** Calls back when the process is about to end, and then waits. */
    static ShutdownGuard of(Runnable stop) {
        ShutdownGuard guard = new ShutdownGuard(stop);
        Runtime.getRuntime().addShutdownHook(guard.hook);
        return guard;
    }

    @Override
    public void close() {
        done.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            LOG.debug("The process is ending, the hook cannot be removed", e);
        }
    }
}
