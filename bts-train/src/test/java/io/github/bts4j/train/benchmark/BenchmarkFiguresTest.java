package io.github.bts4j.train.benchmark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BenchmarkFiguresTest {
    private static final BenchmarkSettings SETTINGS = BenchmarkSettings.of(BenchmarkShape.XS, List.of(BenchmarkType.FLOAT32), 1);

    @Test
    void aShareIsTheMedianOverPairs() {
        Iterator<Double> limits = List.of(1.0, 10.0, 20.0, 40.0, 10.0).iterator();
        Iterator<Double> seconds = List.of(9.0, 1.0, 2.0, 0.25, 5.0).iterator();
        PairedTimes times = PairedTimes.of(4, limits::next, seconds::next);
        assertArrayEquals(new double[] {10, 20, 40, 10}, times.limits()); // without the first pair
        assertEquals(2, times.median());
        assertEquals(1, times.lowerQuartile());
        assertEquals(5, times.upperQuartile());
        assertEquals(1, times.share(10), 1e-12); // of 0.2, 0.25, 1 and 1
    }

    @Test
    void measuringEndsWithItsTime() {
        assertEquals(3, PairedTimes.of(3, 100, 0, () -> 1, () -> 1).limits().length);
        assertEquals(100, PairedTimes.of(3, 100, 60, () -> 1, () -> 1).limits().length);
    }

    /**
     * By hand, from the shape (hidden 64, feed-forward 128, 4 heads and 2 of keys of 16, 4 layers, vocabulary 1024): 36,864 weights in the products of a layer, 65,536 in
     * the head. A prompt of 64 tokens: 2 x 4 x 36,864 x 64 in the products, 4 x 4 x 64 x (64 x 65 / 2) in attention, 2 x 65,536 in the head.
     */
    @Test
    void theWorkOfAPromptAndAToken() {
        BenchmarkWork.Counts seed = BenchmarkWork.seed(SETTINGS, 1000);
        double prompt = 18_874_368 + 2_129_920 + 131_072;
        assertEquals(prompt, seed.prompt().operations(), 0.005 * prompt); // norms' weights are counted as products
        assertEquals(1000, seed.prompt().bytes());
        BenchmarkWork token = seed.token(8, 64);
        double decoded = 8 * (294_912 + 4 * 4 * 64 * 64.5 + 131_072);
        assertEquals(decoded, token.operations(), 0.005 * decoded);
        assertTrue(new BenchmarkWork(100, 50).isBoundByMemory(10, 100));
        assertFalse(new BenchmarkWork(100, 50).isBoundByMemory(100, 10));
    }

    /** One prompt of the stitched model takes that of the hub and the experts without their heads, and more for the stitches. */
    @Test
    void theWorkOfTheStitchedModel() {
        double seed = BenchmarkWork.seed(SETTINGS, 0).prompt().operations();
        double stitched = BenchmarkWork.stitched(SETTINGS, 0).prompt().operations();
        double layers = seed - 131_072;
        assertTrue(stitched > 4 * layers && stitched < 6 * layers, stitched + " and " + layers);
        assertTrue(BenchmarkWork.stitched(SETTINGS, 0).step().operations() > 1.5 * stitched);
    }

    @Test
    void theReportIsMarkdown() {
        Machine machine = new Machine("A Processor", List.of("avx2"), 2, 3L << 30, "Linux 6 amd64", "A VM 17", "libtorch 2.7.1 (DJL 0.36.0)", 2, "libtorch", Map.of("float32", "oneDNN"), "attention.float32=blocks");
        MachineReport report = new MachineReport(SETTINGS, machine, List.of(new MachineReport.Limits("float32", 31.24e9, 410.4e9)),
                List.of(new BenchmarkRow("float32", "seed", "decoding", 8.124, 7, 1234.5, "memory", 0.624, 5)), -1, 2.25, 9.6);
        assertEquals("""
                bts4j 9 on A Processor, 2 processors, 3.0 GiB of memory, Linux 6 amd64
                processor's extensions: avx2
                A VM 17; libtorch 2.7.1 (DJL 0.36.0); 2 threads
                few tokens are decoded in libtorch; products: float32 by oneDNN
                kernels: attention.float32=blocks
                shape xs: 0.2 million parameters, 4 layers of 64; 3 experts, 4 stitch layers; training 2 x 32 tokens, prompts of 64, 8 sessions together
                load average unknown before, 2.3 after; 10 seconds

                | type | memory, GB/s | product, GFLOP/s |
                |---|---|---|
                | float32 | 31.2 | 410 |

                | type | model | measured | tokens/s | quartiles | share of limit | limit |
                |---|---|---|---|---|---|---|
                | float32 | seed | decoding | 8.12 | 7.00 - 1,235 | 0.62 | memory |
                """, report.text("bts4j 9").replace(System.lineSeparator(), "\n"));
        assertEquals("{\"type\":\"float32\",\"model\":\"seed\",\"measured\":\"decoding\",\"tokens_per_second\":8.124,\"tokens_per_second_lower_quartile\":7.0,\"tokens_per_second_upper_quartile\":1234.5,"
                + "\"limit\":\"memory\",\"share\":0.624,\"measurements\":5}", report.json("bts4j 9").at("/rows/0").toString());
    }

    @Test
    void settingsThatNoShapeHasAreRefused() {
        assertEquals("stitches = 5 must be from 1 to the 4 layers of shape xs", assertThrows(IllegalArgumentException.class, () -> SETTINGS.withExperts(1, 5)).getMessage());
        assertThrows(IllegalArgumentException.class, () -> BenchmarkSettings.of(BenchmarkShape.S, List.of(), 1));
    }
}
