package io.github.bts4j.train.stability;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The loss-spike rule on losses of known shape, and ranges of batches. */
class SpikeDetectorTest {
    @Test
    void aFallingNoisyLossHasNoSpike() {
        SpikeDetector detector = new SpikeDetector();
        SplittableRandom random = new SplittableRandom(1);
        for (int step = 0; step < 5000; step++) {
            double loss = 2 + 5 * Math.exp(-step / 300.0) + 0.1 * random.nextGaussian();
            assertFalse(detector.observe(loss), "step " + step);
        }
    }

    @Test
    void theLimitIsTheFormulas() {
        SpikeDetector detector = new SpikeDetector();
        for (int i = 0; i < 19; i++) {
            detector.observe(i);
            assertEquals(Double.MAX_VALUE, detector.limit());
        }
        detector.observe(19); // 0 .. 19: median 9.5, absolute deviations .5, .5, 1.5, 1.5, .. 9.5, 9.5: median 5
        assertEquals(9.5 + 6 * (1.4826 * 5 + 0.001), detector.limit(), 1e-12);
    }

    @Test
    void aSpikeBeginsOnceAndEndsAfterTwentyCleanSteps() {
        SpikeDetector detector = new SpikeDetector();
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < 200; i++) {
            detector.observe(3 + 0.05 * random.nextGaussian());
        }
        double limit = detector.limit();
        assertTrue(limit > 3.2 && limit < 3.5, "limit " + limit);
        List<Integer> begins = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            boolean high = i >= 10 && i < 15 || i == 30 || i == 60 || i == 99;
            if (detector.observe(high ? i == 99 ? Double.NaN : 6 : 3)) {
                begins.add(i);
            }
        }
        assertEquals(List.of(10, 60, 99), begins); // 30 comes 15 clean steps after 14: the same event
    }

    @Test
    void aRestoredDetectorGoesOnAsTheOriginal() {
        SpikeDetector original = new SpikeDetector();
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < 150; i++) {
            original.observe(i == 149 ? 9 : 3 + 0.05 * random.nextGaussian());
        }
        SpikeDetector restored = new SpikeDetector();
        restored.restore(original.state());
        for (int i = 0; i < 300; i++) {
            double loss = 3 + 0.2 * random.nextGaussian() + (i % 50 == 0 ? 4 : 0);
            assertEquals(original.observe(loss), restored.observe(loss));
            assertEquals(original.limit(), restored.limit());
        }
        assertEquals(original.state(), restored.state());
    }

    @Test
    void rangesOfBatches() {
        BatchRanges ranges = BatchRanges.parse("350, 100-200,201");
        assertEquals("100-200,201,350", ranges.toString());
        assertEquals(99, ranges.next(99));
        assertEquals(202, ranges.next(100));
        assertEquals(202, ranges.next(200));
        assertEquals(351, ranges.next(350));
        assertEquals(7, BatchRanges.parse(" ").next(7));
        for (String wrong : List.of("1-", "a", "3,,4", "-1", "9-3")) {
            assertThrows(IllegalArgumentException.class, () -> BatchRanges.parse(wrong), wrong);
        }
    }
}
