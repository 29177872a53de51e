package io.github.bts4j.server;

/** What waits for its turn with the scheduler. Any thread may cancel it; it is done, or told that it failed, on the scheduler's thread. */
abstract sealed class Work permits Generation, GateAnswer {
    private final long deadline;
    private final long submitted = System.nanoTime();
    private volatile boolean cancelled;

    /**
     * Work that is not done yet.
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

    /** Whether there is no use in it any more: it was cancelled, or took too long. */
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

    /** It failed; nothing else follows. */
    abstract void failed(RuntimeException failure);
}
