package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.train.AdamStatisticsTest.Bench;
import io.github.bts4j.train.optim.AdamStatistics;
import io.github.bts4j.train.stability.StabilityLevel;
import io.github.bts4j.train.stability.StabilityMonitor;
import io.github.bts4j.train.stability.StabilityMonitor.Finding;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The alarm rule on gradients of known distributions: what is said of each, from which step on. */
class StabilityMonitorTest {
    private static final int SIZE = 20_000;

    /** A monitor that sees one tensor, and what it says of it. */
    private static final class Watched implements AutoCloseable {
        final Bench bench;
        final StabilityMonitor monitor = new StabilityMonitor();
        long step;

        Watched(double eps) {
            bench = new Bench(AdamStatisticsTest.config(0.95, eps), SIZE);
        }

        StabilityLevel step(float[] gradient) {
            List<Finding> findings = monitor.observe(++step, Map.of("x", bench.step(gradient)));
            return findings.isEmpty() ? StabilityLevel.OK : findings.get(0).level();
        }

        @Override
        public void close() {
            bench.close();
        }
    }

    private static float[] noise(SplittableRandom random, double scale) {
        return AdamStatisticsTest.normal(random, SIZE, scale);
    }

    @Test
    void independentGradientsAboveEpsAreNothing() {
        SplittableRandom random = new SplittableRandom(1);
        try (Watched watched = new Watched(1e-8)) {
            for (int step = 1; step <= 100; step++) {
                assertEquals(StabilityLevel.OK, watched.step(noise(random, 1e-6)), "step " + step);
            }
        }
    }

    /** D1: gradients of 9 eps are warned of, those of 11 are not; the first 20 steps are not judged. */
    @Test
    void gradientsNearEpsAreWarnedOf() {
        for (double over : new double[] {9, 11}) {
            SplittableRandom random = new SplittableRandom(2);
            try (Watched watched = new Watched(1e-6)) {
                for (int step = 1; step <= 40; step++) {
                    assertEquals(step > 20 && over < 10 ? StabilityLevel.WARN : StabilityLevel.OK, watched.step(noise(random, over * 1e-6)), over + ", step " + step);
                }
            }
        }
    }

    /** Q above 4 has to last for 20 measurements, from step 21 on. A lag-1 correlation of 0.9 gives 9.5, of 0.5 gives 2.6. */
    @Test
    void correlatedGradientsAreWatched() {
        for (double rho : new double[] {0.5, 0.9}) {
            SplittableRandom random = new SplittableRandom(3);
            try (Watched watched = new Watched(1e-12)) {
                float[] gradient = noise(random, 1);
                for (int step = 1; step <= 60; step++) {
                    float[] fresh = noise(random, Math.sqrt(1 - rho * rho));
                    for (int i = 0; i < SIZE; i++) {
                        gradient[i] = (float) (rho * gradient[i] + fresh[i]);
                    }
                    assertEquals(rho > 0.6 && step >= 40 ? StabilityLevel.WATCH : StabilityLevel.OK, watched.step(gradient), rho + ", step " + step);
                }
            }
        }
    }

    /** D4: under a jump by beta2 = 0.999 the first moment outruns the second, beyond what constant gradients give. */
    @Test
    void aStaleSecondMomentIsWatchedAtOnce() {
        StabilityMonitor monitor = new StabilityMonitor();
        try (Bench bench = new Bench(AdamStatisticsTest.config(0.999, 1e-15), SIZE)) {
            bench.age();
            float[] gradient = noise(new SplittableRandom(4), 1);
            AdamStatistics stale = bench.step(gradient);
            for (int i = 0; i < 4; i++) {
                stale = bench.step(gradient);
            }
            assertTrue(stale.varianceInflation() > 19 && stale.isStale(), "Q = " + stale.varianceInflation());
            Finding finding = monitor.observe(21, Map.of("x", stale)).get(0);
            assertEquals(StabilityLevel.WATCH, finding.level());
            assertEquals(1, monitor.metrics(Map.of("x", stale)).get("adam/all/stale"));
        }
    }

    /**
     * The instability: 400 steps of gradients of a hundredth of eps, then one direction a hundred times eps, D11 being 175: from .0023 to .403. After k such steps
     * {@code r = (1 - .9^k) / sqrt(1 - .95^k)}, .447, .608, .718: above 3 sigma_0 = .688 from the third one on, so that the fifth saturated step is the seventh.
     */
    @Test
    void aJumpOutOfTheNeighbourhoodOfEpsIsAnAlarmFromTheSeventhStepOn() {
        SplittableRandom random = new SplittableRandom(5);
        try (Watched watched = new Watched(1e-8)) {
            for (int step = 1; step <= 400; step++) {
                assertEquals(step <= 20 ? StabilityLevel.OK : StabilityLevel.WARN, watched.step(noise(random, 1e-10)), "step " + step);
            }
            float[] direction = noise(random, 1e-6);
            List<StabilityLevel> levels = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                AdamStatistics statistics = watched.bench.step(direction);
                List<Finding> findings = watched.monitor.observe(++watched.step, Map.of("x", statistics));
                if (i == 0) {
                    assertEquals(175, watched.monitor.tensorMetrics(watched.step, Map.of("x", statistics)).byTensor().get("x").get("update_jump"), 5);
                }
                levels.add(findings.isEmpty() ? StabilityLevel.OK : findings.get(0).level());
            }
            assertEquals(List.of(StabilityLevel.ALARM, StabilityLevel.ALARM), levels.subList(6, 8));
            assertTrue(levels.subList(0, 6).stream().noneMatch(StabilityLevel.ALARM::equals), levels.toString());
        }
    }

    /** Saturated, two-peaked updates of the usual size are no alarm: D11 must be above 2 as well. */
    @Test
    void constantGradientsFromTheBeginningAreNoAlarm() {
        try (Watched watched = new Watched(1e-12)) {
            float[] gradient = noise(new SplittableRandom(6), 1);
            for (int step = 1; step <= 60; step++) {
                assertTrue(watched.step(gradient) != StabilityLevel.ALARM, "step " + step);
            }
        }
    }

    @Test
    void theWorstTensorComesFirstAndAGroupHasItsLargestJump() {
        SplittableRandom random = new SplittableRandom(7);
        StabilityMonitor monitor = new StabilityMonitor();
        try (Bench healthy = new Bench(AdamStatisticsTest.config(0.95, 1e-8), SIZE); Bench small = new Bench(AdamStatisticsTest.config(0.95, 1e-8), SIZE)) {
            Map<String, AdamStatistics> measured = new LinkedHashMap<>();
            for (int step = 1; step <= 60; step++) {
                double scale = step < 60 ? 1e-8 : 1e-7;
                measured.put("stitch.0.gate.weight", healthy.step(noise(random, 1e-6)));
                measured.put("stitch.1.gate.weight", small.step(noise(random, scale)));
                List<Finding> findings = monitor.observe(step, measured);
                assertEquals(step <= 20 ? List.of() : List.of("stitch.1.gate.weight"), findings.stream().map(Finding::tensor).toList(), "step " + step);
            }
            Map<String, Map<String, Double>> each = monitor.tensorMetrics(60, measured).byTensor();
            double jump = each.get("stitch.1.gate.weight").get("update_jump");
            assertTrue(jump > 2 && each.get("stitch.0.gate.weight").get("update_jump") < 1.1, each.toString());
            Map<String, Double> groups = new HashMap<>(monitor.metrics(measured));
            assertEquals(jump, groups.get("adam/stitch.gate/update_jump"));
            assertEquals(StabilityMonitor.metricNames(measured.keySet()).stream().sorted().toList(), groups.keySet().stream().sorted().toList());
        }
    }
}
