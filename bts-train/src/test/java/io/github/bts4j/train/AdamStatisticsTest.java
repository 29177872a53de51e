package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.GradientCollector;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.train.optim.AdamStatistics;
import io.github.bts4j.train.optim.AdamW;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.EpsilonPolicy;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The test vectors of the theory: closed forms of Adam's moments for known gradients, and values simulated independently. */
class AdamStatisticsTest {
    private static final int MANY = 200_000;

    /** One tensor under AdamW, fed with gradients. */
    static final class Bench implements AutoCloseable {
        private final NDManager manager = Torch.manager().newSubManager();
        private final NDArray parameter;
        private final AdamW optimizer;

        Bench(AdamWConfig config, int size) {
            parameter = Tensors.of(manager, new float[size], size);
            optimizer = new AdamW(config, manager, Map.of("x", parameter));
        }

        AdamStatistics step(float[] gradient) {
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector(); NDArray g = Tensors.of(manager, gradient, gradient.length);
                    NDArray product = parameter.mul(g); NDArray sum = product.sum()) {
                collector.backward(sum);
            }
            return optimizer.measuredStep(0.001).get("x");
        }

        /** As if a million steps had passed without any gradient: both bias corrections are 1. */
        void age() {
            Map<String, NDArray> state = new HashMap<>(optimizer.state());
            state.put("step.x", manager.create(1_000_000f));
            optimizer.restore(state);
        }

        @Override
        public void close() {
            optimizer.close();
            manager.close();
        }
    }

    static AdamWConfig config(double beta2, double eps) {
        return new AdamWConfig(0.9, beta2, eps, 0);
    }

    static float[] normal(SplittableRandom random, int size, double scale) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (scale * random.nextGaussian());
        }
        return values;
    }

    @Test
    void theFirstStepMovesEveryComponentByOne() {
        try (Bench bench = new Bench(config(0.95, 1e-12), 1000)) {
            AdamStatistics first = bench.step(normal(new SplittableRandom(1), 1000, 1));
            assertEquals(1, first.updateRms(), 1e-5);
            assertEquals(1, first.clippingRms(), 1e-5);
            assertEquals(19, first.varianceInflation(), 1e-3);
            assertEquals(1, first.valleyDepth(), 0);
            assertEquals(0, first.momentumAlignment(), 0); // there was no moment before
        }
    }

    @ParameterizedTest
    @CsvSource({"0.95, 0.4472, 1.097, 20, 4.472", "0.999, 3.1623, 6.569, 12, 31.62"})
    void aGradientOutOfNowhere(double beta2, double firstJump, double largest, int at, double clippingRms) {
        try (Bench bench = new Bench(config(beta2, 1e-15), 64)) {
            bench.age();
            float[] gradient = normal(new SplittableRandom(2), 64, 1);
            AdamStatistics jump = bench.step(gradient);
            assertEquals(firstJump, jump.updateRms(), 1e-4 * firstJump);
            assertEquals(clippingRms, jump.clippingRms(), 1e-3 * clippingRms);
            double[] rms = IntStream.rangeClosed(2, 40).mapToDouble(step -> bench.step(gradient).updateRms()).toArray();
            int best = IntStream.range(0, rms.length).reduce(0, (a, b) -> rms[b] > rms[a] ? b : a);
            assertEquals(largest, rms[best], 1e-3 * largest);
            assertEquals(at, best + 2);
            assertTrue(rms[best] < AdamStatistics.bound(0.9, beta2));
        }
        assertEquals(beta2 == 0.95 ? 1.165 : 7.27, AdamStatistics.bound(0.9, beta2), 5e-3);
    }

    /** The same after few steps without a gradient, times sqrt(1 - beta2^t); m's own correction divides by 1 - beta1^t. */
    @ParameterizedTest
    @CsvSource({"0.95, 0.4472, 11", "0.999, 3.1623, 101", "0.999, 3.1623, 401"})
    void aGradientOutOfNowhereEarlyInARun(double beta2, double firstJump, int t) {
        try (Bench bench = new Bench(config(beta2, 1e-15), 64)) {
            for (int step = 1; step < t; step++) {
                bench.step(new float[64]);
            }
            double expected = firstJump * Math.sqrt(1 - Math.pow(beta2, t)) / (1 - Math.pow(0.9, t));
            assertEquals(expected, bench.step(normal(new SplittableRandom(2), 64, 1)).updateRms(), 1e-4 * expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"-0.5, 0.141, 0", "0, 0.229, 1", "0.5, 0.372, 2.636", "0.9, 0.708, 9.526", "0.99, 0.956, 17.35"})
    void correlatedGradients(double rho, double momentRms, double inflation) {
        SplittableRandom random = new SplittableRandom(7);
        try (Bench bench = new Bench(config(0.95, 1e-12), MANY)) {
            float[] gradient = normal(random, MANY, 1);
            AdamStatistics statistics = bench.step(gradient);
            for (int step = 0; step < 150; step++) {
                float[] noise = normal(random, MANY, Math.sqrt(1 - rho * rho));
                for (int i = 0; i < MANY; i++) {
                    gradient[i] = (float) (rho * gradient[i] + noise[i]);
                }
                statistics = bench.step(gradient);
            }
            double q = statistics.varianceInflation();
            assertEquals(momentRms, Math.sqrt(q / 19), 0.02 * momentRms); // v^ is 1 on average
            if (inflation > 0) {
                assertEquals(inflation, q, 0.02 * inflation);
                assertEquals(rho, statistics.lagOneCorrelation(), 0.015);
            }
            if (rho == 0) {
                assertTrue(statistics.saturation() <= 0.003 && statistics.valleyDepth() <= 0.1, statistics.saturation() + " " + statistics.valleyDepth());
                assertEquals(0, statistics.momentumAlignment(), 0.01);
                assertEquals(0, statistics.descentAlignment(), 0.01);
            }
            if (rho == 0.9) {
                assertEquals(0.67, statistics.momentumAlignment(), 0.02);
            }
        }
    }

    @Test
    void aConstantGradientSaturates() {
        try (Bench bench = new Bench(config(0.95, 1e-12), 10_000)) {
            float[] gradient = normal(new SplittableRandom(3), 10_000, 1);
            AdamStatistics last = bench.step(gradient);
            for (int step = 0; step < 400; step++) {
                last = bench.step(gradient);
            }
            assertEquals(19, last.varianceInflation(), 1e-3);
            assertEquals(1, last.lagOneCorrelation(), 1e-3);
            assertEquals(1, last.saturation(), 0);
            assertEquals(1, last.valleyDepth(), 0);
            assertEquals(Math.sqrt(2 / Math.PI), last.descentAlignment(), 0.01); // u is the sign of g: E|g| / sqrt(E g^2)
            assertFalse(last.isStale());
            assertEquals(10_000, last.active(), 0);
        }
    }

    /** The mechanism of the instability: components of the size of eps, then a common direction. */
    @ParameterizedTest
    @CsvSource({"1e-8, 0.0023, 0.403, 0.526, 0.857", "1e-15, 0.2262, 0.447, 0.553, 0.873"})
    void gradientsNearEpsThenAJump(double eps, double before, double one, double two, double ten) {
        SplittableRandom random = new SplittableRandom(4);
        int size = 50_000;
        try (Bench bench = new Bench(config(0.95, eps), size)) {
            AdamStatistics last = null;
            for (int step = 0; step < 400; step++) {
                last = bench.step(normal(random, size, 1e-10));
            }
            assertEquals(before, last.updateRms(), 0.02 * before);
            assertEquals(1e-10 / eps, last.gradientOverEps(), 0.02e-10 / eps);
            assertEquals(eps > 1e-10 ? 1 : 0, last.belowEps(), 0);
            float[] jump = normal(random, size, 1e-6);
            double[] after = IntStream.range(0, 10).mapToDouble(step -> { // one direction, and three tenths of noise about it
                float[] gradient = normal(random, size, 0.3e-6);
                for (int i = 0; i < size; i++) {
                    gradient[i] += jump[i];
                }
                return bench.step(gradient).updateRms();
            }).toArray();
            assertEquals(one, after[0], 0.02 * one);
            assertEquals(two, after[1], 0.02 * two);
            assertEquals(ten, after[9], 0.02 * ten);
        }
    }

    @ParameterizedTest
    @EnumSource(EpsilonPolicy.class)
    void thePoliciesDifferInTheDenominatorOnly(EpsilonPolicy policy) {
        double eps = 1e-3;
        float[] gradient = {1, 1e-3f, 1e-5f, 0};
        try (Bench bench = new Bench(new AdamWConfig(0.9, 0.95, eps, 0.1).withEpsilonPolicy(policy), 4)) {
            double[] parameter = new double[4];
            double[] m = new double[4];
            double[] v = new double[4];
            for (int t = 1; t <= 20; t++) {
                double scale = 1 + Math.sin(t);
                float[] now = new float[4];
                for (int i = 0; i < 4; i++) {
                    now[i] = (float) (gradient[i] * scale);
                    m[i] = 0.9 * m[i] + 0.1 * now[i];
                    v[i] = 0.95 * v[i] + 0.05 * (double) now[i] * now[i];
                    double root = Math.sqrt(v[i] / (1 - Math.pow(0.95, t)));
                    double denominator = switch (policy) {
                        case ADD -> root + eps;
                        case ZERO_SAFE -> root;
                        case MAX -> Math.max(root, eps);
                    };
                    parameter[i] -= 0.001 * (root == 0 && policy == EpsilonPolicy.ZERO_SAFE ? 0 : m[i] / (1 - Math.pow(0.9, t)) / denominator);
                }
                AdamStatistics statistics = bench.step(now);
                assertEquals(3, statistics.active(), 0);
                assertEquals(policy == EpsilonPolicy.ZERO_SAFE, Double.isInfinite(statistics.gradientOverEps()));
                assertEquals(policy == EpsilonPolicy.ZERO_SAFE ? 0 : 1 / 3.0, statistics.belowEps(), 0.34); // 1e-5 of 1, 1e-3 and 1e-5, at times 1e-3 too
            }
            float[] actual = Tensors.toFloats(bench.parameter);
            for (int i = 0; i < 4; i++) {
                assertEquals(parameter[i], actual[i], 1e-6 + 1e-5 * Math.abs(parameter[i]), policy + " " + i);
            }
        }
    }

    @Test
    void measuringChangesNothing() {
        float[][] results = new float[2][];
        for (int measured = 0; measured < 2; measured++) {
            SplittableRandom random = new SplittableRandom(5);
            try (NDManager manager = Torch.manager().newSubManager()) {
                NDArray parameter = Tensors.of(manager, normal(random, 999, 1), 27, 37);
                try (AdamW optimizer = new AdamW(AdamWConfig.STITCH, manager, Map.of("w", parameter))) {
                    for (int step = 0; step < 10; step++) {
                        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector();
                                NDArray product = parameter.mul(Tensors.of(manager, normal(random, 999, 1), 27, 37)); NDArray sum = product.sum()) {
                            collector.backward(sum);
                        }
                        if (measured == 1) {
                            optimizer.measuredStep(0.01);
                        } else {
                            optimizer.step(0.01);
                        }
                    }
                    results[measured] = Tensors.toFloats(parameter);
                }
            }
        }
        org.junit.jupiter.api.Assertions.assertArrayEquals(results[0], results[1]);
    }

    @Test
    void statisticsAddUpOverTensors() {
        SplittableRandom random = new SplittableRandom(6);
        float[] a = normal(random, 5000, 1);
        float[] b = normal(random, 5000, 3);
        float[] both = new float[10_000];
        System.arraycopy(a, 0, both, 0, 5000);
        System.arraycopy(b, 0, both, 5000, 5000);
        AdamStatistics sum = null;
        AdamStatistics whole = null;
        try (Bench first = new Bench(AdamWConfig.STITCH, 5000); Bench second = new Bench(AdamWConfig.STITCH, 5000);
                Bench joined = new Bench(AdamWConfig.STITCH, 10_000)) {
            for (int step = 0; step < 5; step++) {
                sum = first.step(a).plus(second.step(b));
                whole = joined.step(both);
            }
        }
        try (Bench vectors = new Bench(AdamWConfig.STITCH.withoutDecay(), 5000)) { // decay has no part in the statistics
            assertTrue(vectors.step(a).addsUpWith(sum));
        }
        assertEquals(whole.active(), sum.active());
        assertEquals(whole.varianceInflation(), sum.varianceInflation(), 1e-4);
        assertEquals(whole.updateRms(), sum.updateRms(), 1e-5);
        assertEquals(whole.saturation(), sum.saturation(), 1e-6);
        assertEquals(whole.descentAlignment(), sum.descentAlignment(), 1e-4);
        AdamStatistics other = sum;
        try (Bench different = new Bench(config(0.9, 1e-8), 8)) {
            AdamStatistics statistics = different.step(new float[8]);
            assertThrows(IllegalArgumentException.class, () -> other.plus(statistics));
        }
    }
}
