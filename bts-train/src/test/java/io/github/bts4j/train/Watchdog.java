package io.github.bts4j.train;

import java.io.PrintStream;
import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/** Ends a process in which something hangs, and says first where each thread stands. */
final class Watchdog {
    /** Of a process that it ended. */
    static final int STATUS = 99;

    private final long limit;
    private volatile String doing;
    private volatile long since;

    private Watchdog(long seconds) {
        this.limit = TimeUnit.SECONDS.toNanos(seconds);
        begin("start");
    }

    /** One that bites when nothing new has begun for so long. */
    @SuppressWarnings("ThreadPriorityCheck")
    static Watchdog of(long seconds) {
        Watchdog dog = new Watchdog(seconds);
        Thread thread = new Thread(dog::watch, "watchdog");
        thread.setDaemon(true);
        thread.setPriority(Thread.MAX_PRIORITY);
        thread.start();
        return dog;
    }

    /** Something begins, and what was before has ended. */
    void begin(String what) {
        doing = what;
        since = System.nanoTime();
    }

    private void watch() {
        while (System.nanoTime() - since < limit) {
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                return;
            }
        }
        System.out.println(doing + " hangs: " + TimeUnit.NANOSECONDS.toSeconds(limit) + " s");
        System.out.flush();
        print(System.out);
        Runtime.getRuntime().halt(STATUS);
    }

    /** All threads, deadlocked ones first, with what they hold and wait for. */
    static void print(PrintStream to) {
        var threads = ManagementFactory.getThreadMXBean();
        to.println("Deadlocked: " + Arrays.toString(threads.findDeadlockedThreads()));
        for (ThreadInfo info : threads.dumpAllThreads(true, true)) {
            LockInfo waits = info.getLockInfo();
            to.println("\"" + info.getThreadName() + "\" " + info.getThreadId() + " " + info.getThreadState()
                    + (waits == null ? "" : " on " + waits + " of " + info.getLockOwnerName()) + " holds " + Arrays.toString(info.getLockedMonitors()));
            for (StackTraceElement element : info.getStackTrace()) {
                to.println("    at " + element);
            }
        }
        to.flush();
    }
}
