package io.github.bts4j.server;

/** A unit of work for the scheduler. Any thread may cancel it; it finishes or fails on the scheduler's thread. */
abstract sealed class Work permits Sequence, OnePass {
    private final long deadline;
    private final long submitted = System.nanoTime();
    private volatile boolean cancelled;

    /**
     * Creates work that waits.
     *
     * @param deadline by {@link System#nanoTime}
     */
    Work(long deadline) {
        this.deadline = deadline;
    }

    void cancel() {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    /** Whether it was cancelled or timed out. */
    boolean isGivenUp() {
        return cancelled || System.nanoTime() - deadline > 0;
    }

    /** Whether there is room for its result. */
    boolean isReady() {
        return true;
    }

    double secondsSinceSubmission() {
        return (System.nanoTime() - submitted) / 1e9;
    }

    /** Reports a failure; no other call follows. */
    abstract void failed(RuntimeException failure);
}
