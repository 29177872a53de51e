package io.github.bts4j.server;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Parses requests and tokenises their texts, off the event loop. Long requests have one thread and a short queue of their own, so that short
 * ones do not wait for them and only one long text at a time needs memory.
 */
final class Intake implements AutoCloseable {
    /** A request with more bytes is long. Up to this size it is not counted in the budget. */
    static final int SHORT_BYTES = 64 << 10;

    private static final int LONG_WAITING = 16;

    private final ThreadPoolExecutor shortOnes;
    private final ThreadPoolExecutor longOnes;
    private final AtomicLong held = new AtomicLong();
    private final long mostHeld;

    Intake(ServerConfig config) {
        shortOnes = lane("bts4j-intake", 2, Math.max(64, config.limits().maxQueue()));
        longOnes = lane("bts4j-intake-long", 1, LONG_WAITING);
        mostHeld = Math.max(2L * config.limits().maxBodyBytes(), Runtime.getRuntime().maxMemory() / 16);
    }

    private static ThreadPoolExecutor lane(String name, int threads, int waiting) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor lane = new ThreadPoolExecutor(threads, threads, 10, TimeUnit.SECONDS, new ArrayBlockingQueue<>(waiting), action -> {
            Thread thread = new Thread(action, name + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        lane.allowCoreThreadTimeOut(true);
        return lane;
    }

    /**
     * Runs a task for a request of this length.
     *
     * @throws ApiException with status 429 if too many such requests are waiting, with 503 if the server is closing
     */
    void run(int bytes, Runnable action) {
        ThreadPoolExecutor lane = bytes > SHORT_BYTES ? longOnes : shortOnes;
        try {
            lane.execute(action);
        } catch (RejectedExecutionException e) {
            throw lane.isShutdown() ? ApiException.shuttingDown() : busy();
        }
    }

    /**
     * Makes room for more bytes of a request's body.
     *
     * @param before bytes received so far
     * @param more bytes to add
     * @throws ApiException with status 429 if the requests that are being received use too much memory
     */
    void take(int before, int more) {
        long counted = counted(before + more) - counted(before);
        if (counted > 0 && held.addAndGet(counted) > mostHeld) {
            held.addAndGet(-counted);
            throw busy();
        }
    }

    /** Releases the budget of a body. */
    void give(int bytes) {
        held.addAndGet(-counted(bytes));
    }

    private static long counted(int bytes) {
        return Math.max(0, bytes - SHORT_BYTES);
    }

    private static ApiException busy() {
        return ApiException.of(429, "queue_full", "The server is busy with long requests; try again later");
    }

    @Override
    public void close() {
        shortOnes.shutdownNow();
        longOnes.shutdownNow();
    }
}
