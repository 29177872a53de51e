package io.github.bts4j.train.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** McNemar's test and the bootstrap against SciPy's. */
class SignificanceTest {
    private static final int RESAMPLES = 100_000;

    @Test
    void mcNemarIsTheBinomialTest() throws Exception {
        for (JsonNode row : Harness.golden("mcnemar")) {
            McNemar test = new McNemar(row.get("a").intValue(), row.get("b").intValue());
            double p = row.get("p").doubleValue();
            assertEquals(p, test.pValue(), 1e-9 * p, test.toString());
            assertEquals(test.pValue(), new McNemar(test.onlySecond(), test.onlyFirst()).pValue());
        }
        assertEquals(2 * (1 + 15 + 105 + 455) / Math.pow(2, 15), new McNemar(3, 12).pValue(), 1e-15, "by hand");
    }

    private static void assertInterval(JsonNode expected, WindowScores.Interval interval) {
        double width = expected.get(1).doubleValue() - expected.get(0).doubleValue();
        assertEquals(expected.get(0).doubleValue(), interval.low(), 0.02 * width);
        assertEquals(expected.get(1).doubleValue(), interval.high(), 0.02 * width);
    }

    @Test
    void intervalsAreThoseOfTheBootstrap() throws Exception {
        JsonNode golden = Harness.golden("bootstrap");
        ItemScores first = ItemScores.of(Harness.doubles(golden.get("first")));
        ItemScores second = ItemScores.of(Harness.doubles(golden.get("second")));
        assertInterval(golden.get("share"), first.interval(0.95, RESAMPLES, 1));
        PairedComparison comparison = PairedComparison.of(first, second, 0.95, RESAMPLES, 2);
        assertInterval(golden.get("difference"), comparison.difference().interval());
        assertEquals(first.value() - second.value(), comparison.difference().interval().value(), 1e-12);
        assertEquals(comparison.mcNemar().orElseThrow().pValue(), comparison.pValue());
        assertEquals(comparison.pValue(), comparison.difference().pValue(), 0.02, "both tests see about the same");
        ItemScores ratio = new ItemScores(Harness.doubles(golden.get("bits")), Harness.doubles(golden.get("size")));
        assertInterval(golden.get("ratio"), ratio.interval(0.95, RESAMPLES, 3));
    }

    @Test
    void windowsScoreAsTheyDidBefore() {
        WindowScores scores = new WindowScores(new double[] {300, 100, 250}, new long[] {100, 300, 200}, new long[] {50, 150, 90});
        WindowScores other = new WindowScores(new double[] {290, 110, 240}, new long[] {100, 300, 200}, new long[] {50, 150, 90});
        assertEquals(scores.bitsPerByte(), ItemScores.of(scores).value(), 1e-12);
        WindowScores.Interval interval = scores.interval(0.95, 1000, 4);
        assertEquals(interval.low(), ItemScores.of(scores).interval(0.95, 1000, 4).low(), 1e-12);
        PairedComparison comparison = PairedComparison.of(ItemScores.of(scores), ItemScores.of(other), 0.95, 1000, 4);
        assertEquals(scores.minus(other, 0.95, 1000, 4).interval().high(), comparison.difference().interval().high(), 1e-12);
        assertEquals(Optional.empty(), comparison.mcNemar());
        assertEquals(scores.minus(other, 0.95, 1000, 4).pValue(), comparison.pValue());
    }

    @Test
    void whatCannotBeComparedIsRefused() {
        ItemScores two = ItemScores.of(new boolean[] {true, false});
        Harness.assertRefused("2 and 3", () -> PairedComparison.of(two, ItemScores.of(new boolean[3]), 0.95, 1000, 0));
        Harness.assertRefused("correct (1) or wrong (0)", () -> McNemar.of(two, ItemScores.of(new double[] {0.5, 1})));
        Harness.assertRefused("-1", () -> new McNemar(-1, 2));
        Harness.assertRefused("finite", () -> ItemScores.of(new double[] {Double.NaN}));
        Harness.assertRefused("nothing to measure", () -> ItemScores.of(new double[0]));
        Harness.assertRefused("1 values have 2 weights", () -> new ItemScores(new double[1], new double[2]));
        double[] same = new double[50];
        Arrays.fill(same, 1);
        assertEquals(new WindowScores.Interval(1, 1, 1), ItemScores.of(same).interval(0.95, 1000, 0));
        assertTrue(PairedComparison.of(ItemScores.of(same), ItemScores.of(same), 0.95, 1000, 0).pValue() == 1);
    }
}
