package io.github.bts4j.examples.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.bts4j.train.eval.EvaluationResult;
import io.github.bts4j.train.eval.EvaluationResults;
import io.github.bts4j.train.eval.ItemScores;
import io.github.bts4j.train.eval.Metric;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class RetainedTableTest {
    private static final int WINDOWS = 12;

    /** As many bits per byte in every window. */
    private static EvaluationResult bits(String model, String task, double bitsPerByte) {
        double[] values = new double[WINDOWS];
        double[] bytes = new double[WINDOWS];
        Arrays.fill(values, 100 * bitsPerByte);
        Arrays.fill(bytes, 100);
        return EvaluationResult.of(model, task, Metric.BITS_PER_BYTE, task, new ItemScores(values, bytes));
    }

    @Test
    void sharesOfTheGain() {
        EvaluationResults results = EvaluationResults.EMPTY.plus(List.of(
                bits("seed", "code", 2), bits("code", "code", 1.5), bits("math", "code", 2.25), bits("BTS", "code", 1.625), bits("soup", "code", 1.875),
                bits("seed", "switching: code", 2.5), bits("code", "switching: code", 2.25), bits("BTS", "switching: code", 2.1875),
                bits("seed", "math", 3), bits("math", "math", 3.125), bits("BTS", "math", 3)));
        assertEquals("""
                | model | code | switching: code |
                |---|---:|---:|
                | seed | 0.0 (0.0 .. 0.0) | 0.0 (0.0 .. 0.0) |
                | code | 100.0 (100.0 .. 100.0) | 100.0 (100.0 .. 100.0) |
                | math | -50.0 (-50.0 .. -50.0) | \u2013 |
                | soup | 25.0 (25.0 .. 25.0) | \u2013 |
                | BTS | 75.0 (75.0 .. 75.0) | 125.0 (125.0 .. 125.0) |
                """, new RetainedTable(results, List.of("code", "math")).markdown(List.of("seed", "code", "math", "soup", "BTS")));
    }
}
