package io.github.bts4j.server;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Where requests are parsed and their texts become tokens, off the event loop. Long requests have one thread and a short queue of their own, so that short
 * ones do not wait for them, and so that one long text at a time takes memory.
 */
final class Intake implements AutoCloseable {
    /** What is longer counts as long; so much of every request is free of the budget. */
    static final int SHORT_BYTES = 64 << 10;

    private static final int LONG_WAITING = 16;

    private final ThreadPoolExecutor shortOnes;
    private final ThreadPoolExecutor longOnes;
    private final AtomicLong held = new AtomicLong();
    private final long mostHeld;

    Intake(ServerConfig config) {
        shortOnes = lane("bts4j-intake", 2, Math.max(64, config.maxQueue()));
        longOnes = lane("bts4j-intake-long", 1, LONG_WAITING);
        mostHeld = Math.max(2L * config.maxBodyBytes(), Runtime.getRuntime().maxMemory() / 16);
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
     * Runs what a request of this length asks for.
     *
     * @throws ApiException with status 429 if too many such requests wait, with 503 if the server is closing
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
     * @param before how many it has
     * @param more how many come
     * @throws ApiException with status 429 if the requests that are being received hold too much already
     */
    void take(int before, int more) {
        long counted = counted(before + more) - counted(before);
        if (counted > 0 && held.addAndGet(counted) > mostHeld) {
            held.addAndGet(-counted);
            throw busy();
        }
    }

    /** A body is no longer needed. */
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
