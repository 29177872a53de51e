package io.github.bts4j.core.rows;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that do one piece of work together: the caller and some workers, which wait for each other at every {@link Share#await}.
 *
 * <p>Waiting threads spin, because a step has some hundred such points a few microseconds apart; workers without work sleep. If other
 * processes use the processors, every such point would wait for a thread that is not running; a {@link ParallelismTuner} measures when the
 * caller alone is faster. A caller also continues alone if the workers are busy. Results do not depend on the number of threads.
 * Thread-safe.
 */
public final class WorkerTeam {
    private static final int SPINS = 10_000; // up to some hundred microseconds
    private static final long NAP_NANOS = 50_000;

    private static WorkerTeam shared;

    private final AtomicBoolean busy = new AtomicBoolean();
    private final Worker[] workers;

    /** The work of a team. */
    @FunctionalInterface
    public interface Work {
        /**
         * Computes one thread's share.
         *
         * @param part which thread of how many
         */
        void run(Share part);
    }

    /**
     * Starts a team.
     *
     * @param threads number of threads, the caller's included
     */
    public WorkerTeam(int threads) {
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
            workers[i].start();
        }
    }

    /**
     * The process's team, which the first call creates.
     *
     * @param threads as many threads as a tensor operation uses; the team has at most one per processor
     * @return the team
     */
    public static synchronized WorkerTeam shared(int threads) {
        if (shared == null) {
            shared = new WorkerTeam(Math.max(1, Math.min(threads, Runtime.getRuntime().availableProcessors())));
        }
        return shared;
    }

    /**
     * Does a piece of work in the faster mode, and returns when all threads have finished.
     *
     * @param tuner measurements of such work
     * @param tokens number of tokens that it computes
     * @param work the work
     * @throws RuntimeException the exception of a thread; the others stop at their next barrier
     */
    public void run(ParallelismTuner tuner, int tokens, Work work) {
        if (workers.length == 0) {
            alone(work);
            return;
        }
        ParallelismTuner.Kind kind = tuner.of(tokens);
        long begin = System.nanoTime();
        boolean all = kind.isTogether(tokens, begin) && busy.compareAndSet(false, true);
        if (all) {
            together(work);
        } else {
            alone(work);
        }
        kind.took(all, (System.nanoTime() - begin) / tokens);
    }

    /**
     * Does a piece of work with all threads, and returns when all have finished; the caller does it alone if the workers are busy.
     *
     * @param work the work
     * @throws RuntimeException the exception of a thread; the others stop at their next barrier
     */
    public void run(Work work) {
        if (workers.length > 0 && busy.compareAndSet(false, true)) {
            together(work);
        } else {
            alone(work);
        }
    }

    private static void alone(Work work) {
        work.run(new Share(0, new Barrier(1)));
    }

    private void together(Work work) {
        Barrier barrier = new Barrier(workers.length + 1);
        try {
            for (Worker worker : workers) {
                worker.take(work, barrier);
            }
            barrier.attend(work, 0);
            barrier.end();
        } finally {
            busy.set(false);
        }
    }

    /** The barrier of the threads of one piece of work. */
    private static final class Barrier {
        private final int threads;
        private final AtomicInteger arrived = new AtomicInteger();
        private final AtomicInteger left = new AtomicInteger();
        private final AtomicReference<Throwable> failure = new AtomicReference<>();
        private volatile int round;

        Barrier(int threads) {
            this.threads = threads;
        }

        /** Runs one thread's part of the work. */
        void attend(Work work, int index) {
            try {
                work.run(new Share(index, this));
            } catch (RuntimeException | Error e) {
                failure.compareAndSet(null, e);
            } finally {
                left.incrementAndGet();
            }
        }

        void await() {
            if (threads == 1) {
                return;
            }
            int current = round;
            if (arrived.incrementAndGet() == threads) {
                arrived.set(0);
                round = current + 1;
                return;
            }
            for (int spins = 0; round == current; spins++) {
                if (failure.get() != null) {
                    throw new IllegalStateException("Another thread of this step has failed", failure.get());
                }
                relax(spins);
            }
        }

        private void relax(int spins) {
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else { // the other thread has lost its processor and may use this one
                LockSupport.parkNanos(NAP_NANOS);
            }
        }

        /** Waits until all threads have left, and throws the first exception. */
        void end() {
            for (int spins = 0; left.get() < threads; spins++) {
                relax(spins);
            }
            if (failure.get() instanceof RuntimeException e) {
                throw e;
            } else if (failure.get() instanceof Error e) {
                throw e;
            }
        }
    }

    /** One thread's share of a piece of work. */
    public static final class Share {
        private final int index;
        private final Barrier barrier;

        private Share(int index, Barrier barrier) {
            this.index = index;
            this.barrier = barrier;
        }

        /** Waits until all threads have arrived; their earlier writes are then visible to all. */
        public void await() {
            barrier.await();
        }

        /**
         * Where this thread's share of some items begins.
         *
         * @param items number of items
         * @return index of its first item; its share ends where the next thread's begins, at {@link #to}
         */
        public int from(int items) {
            return (int) ((long) items * index / barrier.threads);
        }

        /**
         * Where this thread's share of some items ends.
         *
         * @param items number of items
         * @return one past the index of its last item
         */
        public int to(int items) {
            return (int) ((long) items * (index + 1) / barrier.threads);
        }

        /**
         * Where this thread's share of the rows of a matrix begins.
         *
         * @param rows number of rows
         * @return a multiple of {@link Matrix#SHARE}, or the number of rows
         */
        public int fromRow(int rows) {
            return Math.min(rows, Matrix.SHARE * from(blocks(rows)));
        }

        /**
         * Where this thread's share of the rows of a matrix ends.
         *
         * @param rows number of rows
         * @return one past its last row
         */
        public int toRow(int rows) {
            return Math.min(rows, Matrix.SHARE * to(blocks(rows)));
        }

        private static int blocks(int rows) {
            return (rows + Matrix.SHARE - 1) / Matrix.SHARE;
        }
    }

    private static final class Worker extends Thread {
        private final int index;
        private volatile Work work;
        private Barrier barrier;

        Worker(int index) {
            super("bts4j-rows-" + index);
            this.index = index;
            setDaemon(true);
        }

        void take(Work next, Barrier at) {
            barrier = at;
            work = next;
            LockSupport.unpark(this);
        }

        @Override
        public void run() {
            while (true) {
                for (int spins = 0; work == null; spins++) {
                    if (spins < SPINS) {
                        Thread.onSpinWait();
                    } else {
                        LockSupport.park(this);
                    }
                }
                Work taken = work;
                work = null;
                barrier.attend(taken, index);
            }
        }
    }
}
