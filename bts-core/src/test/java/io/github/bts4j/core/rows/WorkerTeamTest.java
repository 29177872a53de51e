package io.github.bts4j.core.rows;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(300)
class WorkerTeamTest {
    /** Each round needs what the other threads wrote in the round before. */
    private static long[] neighbours(WorkerTeam team, int items, int rounds) {
        long[][] values = new long[2][items];
        Arrays.setAll(values[0], i -> i);
        team.run(share -> {
            for (int round = 0; round < rounds; round++) {
                long[] before = values[round % 2];
                long[] after = values[(round + 1) % 2];
                for (int i = share.from(items); i < share.to(items); i++) {
                    after[i] = 31 * before[(i + 1) % items] + before[(i + items - 1) % items];
                }
                share.await();
            }
        });
        return values[rounds % 2];
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void threadsSeeWhatOthersWroteBeforeTheyMet(int threads) {
        long[] alone = neighbours(new WorkerTeam(1), 101, 60);
        WorkerTeam team = new WorkerTeam(threads);
        for (int i = 0; i < 8; i++) {
            assertArrayEquals(alone, neighbours(team, 101, 60));
        }
    }

    @Test
    void fewerItemsThanThreads() {
        assertArrayEquals(neighbours(new WorkerTeam(1), 2, 100), neighbours(new WorkerTeam(4), 2, 100));
    }

    @Test
    void aFailureEndsTheWorkOfAllThreadsAndReachesTheCaller() {
        WorkerTeam team = new WorkerTeam(3);
        for (int failing = 0; failing < 3; failing++) {
            int index = failing;
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> team.run(share -> {
                share.await();
                if (share.from(3) == index) {
                    throw new IllegalArgumentException("thread " + index);
                }
                share.await();
            }));
            assertEquals("thread " + index, e.getMessage());
        }
        assertArrayEquals(neighbours(new WorkerTeam(1), 10, 10), neighbours(team, 10, 10), "works on after failures");
    }

    @Test
    void callersThatFindTheWorkersTakenWorkAlone() throws Exception {
        WorkerTeam team = new WorkerTeam(2);
        long[] alone = neighbours(new WorkerTeam(1), 50, 40);
        ExecutorService callers = Executors.newFixedThreadPool(6);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                all.add(callers.submit(() -> assertArrayEquals(alone, neighbours(team, 50, 40))));
            }
            for (Future<?> one : all) {
                one.get();
            }
        } finally {
            callers.shutdownNow();
        }
    }
}
