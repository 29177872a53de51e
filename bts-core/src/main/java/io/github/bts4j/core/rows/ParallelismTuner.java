package io.github.bts4j.core.rows;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * Measures whether all threads of a {@link WorkerTeam} or the caller alone are faster for a kind of work. All are faster if each has a processor; if other load uses the processors, or if a
 * piece of work is so short that waiting at barriers takes longer than sharing saves, the caller alone is.
 *
 * <p>The time of each mode is the mean of the three shortest of its last four runs, so that a single interruption, such as libtorch's
 * threads that still spin after a prompt, has no effect. The slower mode is tried again, four runs in a row, after fifty times its cost; at
 * the beginning, when the JVM's compiler still uses a processor, all threads are tried again sooner. A run that takes three times as long
 * as in the other mode ends the trial. Thread-safe.
 */
public final class ParallelismTuner {
    private static final int COST_SHARE = 50;
    private static final int RUNS = 4;
    private static final int HOPELESS = 3;
    private static final long SHORTEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(5);
    private static final int KINDS = Integer.SIZE;

    private final Kind[] kinds = new Kind[KINDS];

    /** Starts without measurements. */
    public ParallelismTuner() {
        for (int i = 0; i < KINDS; i++) {
            kinds[i] = new Kind();
        }
    }

    /**
     * Measurements of work on a number of tokens. Numbers between two powers of two share measurements, which are per token.
     *
     * @param tokens number of tokens, at least 1
     * @return the kind of work
     */
    Kind of(int tokens) {
        return kinds[Integer.SIZE - Integer.numberOfLeadingZeros(tokens) - 1];
    }

    /** One kind of work. */
    static final class Kind {
        private final Timings together = new Timings();
        private final Timings alone = new Timings();
        private long begin;
        private long tryAgain;
        private boolean tried; // the mode on trial
        private int trials; // its remaining runs

        /**
         * Whether to use all threads for the next run.
         *
         * @param tokens the run's number of tokens
         * @param now when it begins
         * @return true for all threads, false for the caller alone
         */
        synchronized boolean isTogether(int tokens, long now) {
            if (together.count + alone.count == 0) {
                begin = now;
            }
            if (!together.isKnown() || !alone.isKnown()) {
                return !together.isKnown();
            }
            if (trials == 0 && now - tryAgain >= 0) {
                trials = RUNS;
                tried = together.time() > alone.time();
                long cost = RUNS * Math.abs(alone.time() - together.time()) * tokens;
                long pause = Math.min(COST_SHARE * cost, tried ? Math.min(LONGEST_PAUSE, (now - begin) / 2) : LONGEST_PAUSE);
                tryAgain = now + Math.max(SHORTEST_PAUSE, pause);
            }
            return trials > 0 ? tried : together.time() <= alone.time();
        }

        /**
         * Records the time of a run.
         *
         * @param all whether all threads took part
         * @param nanos the run's time per token
         */
        synchronized void took(boolean all, long nanos) {
            (all ? together : alone).add(nanos);
            if (trials > 0 && all == tried) {
                trials = nanos > HOPELESS * (all ? alone : together).time() ? 0 : trials - 1;
            }
        }
    }

    /** The last runs of one mode. */
    private static final class Timings {
        private final long[] last = new long[RUNS];
        private int count;

        void add(long nanos) {
            last[count++ % RUNS] = nanos;
            if (count == 2 * RUNS) {
                count = RUNS;
            }
        }

        boolean isKnown() {
            return count >= RUNS;
        }

        /** The mean without the longest. */
        long time() {
            return (Arrays.stream(last).sum() - Arrays.stream(last).max().orElseThrow()) / (RUNS - 1);
        }
    }
}
