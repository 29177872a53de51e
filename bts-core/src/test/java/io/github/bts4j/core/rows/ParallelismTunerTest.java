package io.github.bts4j.core.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Choices in a time of the test's own, where a run takes what the test says. */
class ParallelismTunerTest {
    private static final long MILLISECOND = 1_000_000;

    private final ParallelismTuner.Kind kind = new ParallelismTuner().of(1);
    private long now;

    /** Runs for a while and returns the share of the time's runs that all threads did. */
    private double shareTogether(long duration, long together, long alone) {
        int all = 0;
        int runs = 0;
        for (long end = now + duration; now < end; runs++) {
            boolean chosen = kind.isTogether(1, now);
            long took = chosen ? together : alone;
            now += took;
            kind.took(chosen, took);
            all += chosen ? 1 : 0;
        }
        return (double) all / runs;
    }

    @Test
    void takesTheFasterWayAndRarelyTriesTheOther() {
        shareTogether(50 * MILLISECOND, MILLISECOND, 2 * MILLISECOND);
        assertTrue(shareTogether(2000 * MILLISECOND, MILLISECOND, 2 * MILLISECOND) > 0.95);
        ParallelismTuner.Kind small = new ParallelismTuner().of(1);
        long at = 0;
        int alone = 0;
        for (int i = 0; i < 5000; i++) { // too short to be shared
            boolean all = small.isTogether(1, at);
            long took = all ? 60_000 : 20_000;
            at += took;
            small.took(all, took);
            alone += all ? 0 : 1;
        }
        assertTrue(alone > 4900, alone + " of 5,000");
    }

    /** Times are per token, what trying costs is of all of them. */
    @Test
    void triesStepsOfManyTokensAsRarely() {
        ParallelismTuner.Kind many = new ParallelismTuner().of(16);
        int alone = 0;
        for (int i = 0; i < 1000; i++) {
            boolean all = many.isTogether(16, now);
            long perToken = all ? 2 * MILLISECOND : 4 * MILLISECOND;
            now += 16 * perToken;
            many.took(all, perToken);
            alone += all ? 0 : 1;
        }
        assertTrue(alone < 40, alone + " of 1,000");
    }

    @Test
    void followsWhatTheMachineDoes() {
        shareTogether(100 * MILLISECOND, MILLISECOND, 2 * MILLISECOND);
        shareTogether(100 * MILLISECOND, 20 * MILLISECOND, 2 * MILLISECOND); // something else takes a processor
        assertTrue(shareTogether(2000 * MILLISECOND, 20 * MILLISECOND, 2 * MILLISECOND) < 0.05);
        shareTogether(2000 * MILLISECOND, MILLISECOND, 2 * MILLISECOND); // and is gone
        assertTrue(shareTogether(2000 * MILLISECOND, MILLISECOND, 2 * MILLISECOND) > 0.95);
    }

    @Test
    void oneInterruptionSaysNothing() {
        shareTogether(100 * MILLISECOND, MILLISECOND, 2 * MILLISECOND);
        double share = 0;
        for (int i = 0; i < 10; i++) {
            kind.took(true, 50 * MILLISECOND);
            now += 50 * MILLISECOND;
            share += shareTogether(40 * MILLISECOND, MILLISECOND, 2 * MILLISECOND) / 10;
        }
        assertTrue(share > 0.9, share + " of the runs");
    }

    /** Right after a tensor operation its threads still spin: the first run of every four is slow, and it is the one in which a pause is found to be over. */
    @Test
    void aSlowRunNowAndThenIsWorthIt() {
        int all = 0;
        for (int i = 0; i < 2000; i++) {
            now += i % 4 == 0 ? 40 * MILLISECOND : 0;
            boolean chosen = kind.isTogether(1, now);
            long took = MILLISECOND * (!chosen ? 27 : i % 4 == 0 ? 40 : 12);
            now += took;
            kind.took(chosen, took);
            all += chosen ? 1 : 0;
        }
        assertTrue(all > 1800, all + " of 2,000");
    }

    @Test
    void numbersOfTokensAreApart() {
        ParallelismTuner tuner = new ParallelismTuner();
        assertNotSame(tuner.of(1), tuner.of(2));
        assertSame(tuner.of(2), tuner.of(3));
        assertNotSame(tuner.of(3), tuner.of(4));
        assertSame(tuner.of(64), tuner.of(127));
    }

    @Test
    void aCrewTriesBothWaysAndComputesTheSame() {
        WorkerTeam team = new WorkerTeam(2);
        ParallelismTuner tuner = new ParallelismTuner();
        for (int i = 0; i < 200; i++) {
            int[] sums = new int[100];
            team.run(tuner, 1, part -> {
                for (int k = part.from(sums.length); k < part.to(sums.length); k++) {
                    sums[k] += k;
                }
                part.await();
            });
            for (int k = 0; k < sums.length; k++) {
                assertEquals(k, sums[k]);
            }
        }
    }
}
