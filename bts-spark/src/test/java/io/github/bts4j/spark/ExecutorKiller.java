package io.github.bts4j.spark;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.spark.ExecutorLostFailure;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerBlockUpdated;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.storage.BroadcastBlockId;

/** Kills the process of one executor at some moment, and counts the tasks that were lost with it. */
final class ExecutorKiller extends SparkListener {
    private final Map<String, Long> pids;
    private final int task;
    private final long milliseconds;
    private final int piece;
    private final Map<String, Integer> pieces = new HashMap<>();
    private int begun;
    private int lost;
    private int removed;
    private String cut = "";
    private OptionalLong victim = OptionalLong.empty();

    private ExecutorKiller(Map<String, Long> pids, int task, long milliseconds, int piece) {
        this.pids = pids;
        this.task = task;
        this.milliseconds = milliseconds;
        this.piece = piece;
    }

    /** The executor of the n-th task that begins, after some time. */
    static ExecutorKiller inTask(Map<String, Long> pids, int number, long milliseconds) {
        return new ExecutorKiller(pids, number, milliseconds, Integer.MAX_VALUE);
    }

    /** The first executor that has received so many pieces of one broadcast. */
    static ExecutorKiller inBroadcast(Map<String, Long> pids, int pieces) {
        return new ExecutorKiller(pids, Integer.MAX_VALUE, 0, pieces);
    }

    /** Only counts. */
    static ExecutorKiller none() {
        return inTask(Map.of(), Integer.MAX_VALUE, 0);
    }

    @Override
    public synchronized void onTaskStart(SparkListenerTaskStart start) {
        Long pid = pids.get(start.taskInfo().executorId());
        if (++begun >= task && pid != null) {
            try {
                Thread.sleep(milliseconds);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            kill(pid);
        }
    }

    @Override
    public synchronized void onBlockUpdated(SparkListenerBlockUpdated update) {
        String executor = update.blockUpdatedInfo().blockManagerId().executorId();
        if (update.blockUpdatedInfo().blockId() instanceof BroadcastBlockId block && block.field().startsWith("piece") && update.blockUpdatedInfo().storageLevel().isValid()) {
            String key = executor + " " + block.broadcastId();
            Long pid = pids.get(executor);
            if (pieces.merge(key, 1, Integer::sum) >= piece && pid != null && victim.isEmpty()) {
                cut = key;
                kill(pid);
            }
        }
    }

    @Override
    public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
        lost += end.reason() instanceof ExecutorLostFailure ? 1 : 0;
    }

    @Override
    public synchronized void onExecutorRemoved(SparkListenerExecutorRemoved end) {
        removed++;
    }

    private void kill(long pid) {
        if (victim.isEmpty()) {
            victim = OptionalLong.of(pid);
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    /** {@return how many tasks were lost with their executor} */
    synchronized int lost() {
        return lost;
    }

    /** {@return how many executors have gone} */
    synchronized int removed() {
        return removed;
    }

    /** {@return whether it has killed one, which is gone} */
    synchronized boolean hasKilled() {
        return victim.isPresent() && ProcessHandle.of(victim.getAsLong()).filter(ProcessHandle::isAlive).isEmpty();
    }

    /** {@return whether the broadcast had not come whole} */
    synchronized boolean hasCut() {
        return !cut.isEmpty() && pieces.get(cut) < pieces.getOrDefault("driver " + cut.split(" ")[1], 0);
    }
}
