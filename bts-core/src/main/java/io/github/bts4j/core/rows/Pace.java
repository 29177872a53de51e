package io.github.bts4j.core.rows;

import java.util.concurrent.TimeUnit;

/**
 * Finds out whether all threads of a {@link Crew} or the caller alone go through a kind of work faster. All are faster where each has a processor; where something else takes the processors, or where a
 * piece of work is so short that meeting takes longer than sharing saves, the caller alone is.
 *
 * <p>Each way's time is the mean of the two shorter of its last three runs, so that one interruption says nothing, and two do. The way that is slower is tried again after fifty times what trying costs. Thread-safe.
 */
public final class Pace {
    private static final int COST_SHARE = 50;
    private static final long SHORTEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(5);
    private static final int KINDS = Integer.SIZE;

    private final Kind[] kinds = new Kind[KINDS];

    /** Nothing is known yet. */
    public Pace() {
        for (int i = 0; i < KINDS; i++) {
            kinds[i] = new Kind();
        }
    }

    /**
     * What is known of work on a number of tokens. Numbers between two powers of two are one kind, whose times are per token.
     *
     * @param tokens number of tokens, at least 1
     * @return the kind of work
     */
    Kind of(int tokens) {
        return kinds[Integer.SIZE - Integer.numberOfLeadingZeros(tokens) - 1];
    }

    /** One kind of work. */
    static final class Kind {
        private final Way together = new Way();
        private final Way alone = new Way();
        private long tryAgain;

        /**
         * Whether to take all threads for the next run.
         *
         * @param tokens the run's number of tokens
         * @param now when it begins
         * @return true for all threads, false for the caller alone
         */
        synchronized boolean isTogether(int tokens, long now) {
            if (!together.isKnown() || !alone.isKnown()) {
                return !together.isKnown();
            }
            boolean faster = together.time() <= alone.time();
            if (now - tryAgain < 0) {
                return faster;
            }
            long cost = Math.abs(alone.time() - together.time()) * tokens;
            tryAgain = now + Math.max(SHORTEST_PAUSE, Math.min(LONGEST_PAUSE, COST_SHARE * cost));
            return !faster;
        }

        /**
         * What a run took.
         *
         * @param all whether all threads took part
         * @param nanos the run's time per token
         * @param now when it ended
         */
        synchronized void took(boolean all, long nanos, long now) {
            Way way = all ? together : alone;
            Way other = all ? alone : together;
            boolean wasSlower = way.isKnown() && other.isKnown() && way.time() > other.time();
            way.add(nanos);
            if (wasSlower && way.time() > other.time() && nanos < other.time()) {
                tryAgain = now; // a better time than the faster way's: one more decides
            }
        }
    }

    /** The last runs of one way. */
    private static final class Way {
        private static final int RUNS = 3;
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

        /** The mean of the two shorter ones. */
        long time() {
            return (last[0] + last[1] + last[2] - Math.max(last[0], Math.max(last[1], last[2]))) / 2;
        }
    }
}
