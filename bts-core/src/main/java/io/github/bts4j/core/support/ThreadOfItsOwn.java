package io.github.bts4j.core.support;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Runs a task on a thread that ends with it.
 *
 * <p>libtorch computes with OpenMP, whose GNU implementation gives every thread that has ever computed workers of its own, until that thread ends. Once there are more of them
 * than processors, waiting workers sleep at once instead of spinning for some milliseconds, and every small operation has to wake them: prompts take a third longer. So what
 * computes once, such as opening a model, should leave no workers behind.
 */
public final class ThreadOfItsOwn {
    private ThreadOfItsOwn() {}

    /**
     * A task that may read files.
     *
     * @param <T> type of its result
     */
    @FunctionalInterface
    public interface Task<T> {
        /**
         * Computes the result.
         *
         * @return the result
         * @throws IOException if a file cannot be read
         */
        T call() throws IOException;
    }

    /**
     * Runs a task and waits for its end. An interrupt of the caller interrupts the task.
     *
     * @param name the thread's name
     * @param task the task
     * @return its result
     * @param <T> type of the result
     * @throws IOException if the task throws it; exceptions that are not checked, and errors, are thrown as they are, too
     */
    public static <T> T call(String name, Task<T> task) throws IOException {
        FutureTask<T> result = new FutureTask<>(task::call);
        boolean before = Thread.interrupted();
        Thread thread = new Thread(() -> {
            if (before) { // interrupted from here, it could be at its end already
                Thread.currentThread().interrupt();
            }
            result.run();
        }, name);
        thread.setDaemon(true);
        thread.start();
        boolean interrupted = before;
        try {
            while (true) {
                try {
                    return result.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                    thread.interrupt();
                }
            }
        } catch (ExecutionException e) {
            throw as(e.getCause());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static IOException as(Throwable cause) {
        if (cause instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        if (cause instanceof Error error) {
            throw error;
        }
        return (IOException) cause;
    }
}
