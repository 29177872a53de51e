package io.github.bts4j.train.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LearningRateTest {

    @Test
    void everyStepEqualsTorch() throws IOException {
        JsonNode golden;
        try (InputStream in = LearningRateTest.class.getResourceAsStream("schedules.json")) {
            golden = new ObjectMapper().readTree(in);
        }
        double tolerance = golden.get("relative_tolerance").asDouble();
        assertEquals(9, golden.get("cases").size());
        for (JsonNode golde : golden.get("cases")) {
            LearningRate rate = LearningRate.parse(golde.get("schedule").toString());
            for (int step = 0; step < golde.get("rates").size(); step++) {
                double expected = golde.get("rates").get(step).asDouble();
                assertEquals(expected, rate.at(step), tolerance * expected, golde.get("schedule") + " step " + step);
            }
        }
    }

    @Test
    void linearIsExactlyTheFormula() {
        LearningRate rate = new LearningRate.WarmupLinear(3e-4, 10, 110);
        for (long s = 0; s < 110; s++) {
            double expected = s < 10 ? 3e-4 * (s + 1) / 10 : 3e-4 * (110 - s) / 100;
            assertEquals(expected, rate.at(s), 0, "step " + s);
        }
        assertEquals(3e-4, rate.at(9), 0);
        assertEquals(3e-4, rate.at(10), 0);
    }

    @Test
    void floorHoldsAtAndAfterTheEnd() {
        LearningRate linear = new LearningRate.WarmupLinear(1, 0, 10, 0.25);
        assertEquals(0.3, linear.at(7), 1e-15);
        assertEquals(0.25, linear.at(8), 0);
        assertEquals(0.25, linear.at(10), 0);
        assertEquals(0.25, linear.at(Long.MAX_VALUE), 0);
        assertEquals(0, new LearningRate.WarmupLinear(1, 2, 10).at(10), 0);
        assertEquals(0.01, new LearningRate.WarmupCosine(1, 2, 10, 0.01).at(10), 0);
        assertEquals(2, new LearningRate.Constant(2).at(Long.MAX_VALUE), 0);
    }

    @Test
    void warmupMayFillTheWholeSchedule() {
        LearningRate rate = new LearningRate.WarmupLinear(4, 4, 4);
        assertEquals(List.of(1.0, 2.0, 3.0, 4.0, 0.0),
                LongStream.range(0, 5).mapToObj(rate::at).toList());
    }

    @Test
    void paperSettingPeaksAndEndsAtOnePercent() {
        LearningRate rate = new LearningRate.WarmupCosine(5e-6, 2000, 7000, 0.01);
        assertEquals(5e-6, rate.at(1999), 0);
        assertEquals(5e-6, rate.at(2000), 1e-20);
        assertEquals(5e-6 * 0.505, rate.at(4500), 1e-18);
        assertEquals(5e-8, rate.at(7000), 1e-20);
    }

    @Test
    void jsonRoundTrips() {
        for (LearningRate rate : List.of(new LearningRate.WarmupLinear(5e-6, 10, 100, 1e-7),
                new LearningRate.WarmupCosine(1.0 / 3, 0, 1L << 40, 0.1), new LearningRate.Constant(5e-4, 3))) {
            assertEquals(rate, LearningRate.parse(rate.toJson()), rate.toJson());
        }
        assertEquals("{\"lr_scheduler_type\":\"linear\",\"learning_rate\":5.0E-6,\"warmup_steps\":10,"
                + "\"max_steps\":100,\"min_lr\":0.0}", new LearningRate.WarmupLinear(5e-6, 10, 100).toJson());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"lr_scheduler_type\":\"sqrt\"} | lr_scheduler_type = \"sqrt\" is unknown: use \"linear\", \"cosine_with_min_lr\"",
        "{} | lr_scheduler_type =  is unknown",
        "[1] | Learning rate must be a JSON object, not a list",
        "{ | Learning rate is not valid JSON: Unexpected end-of-input",
        "{\"lr_scheduler_type\":\"linear\",\"learning_rate\":1} | max_steps is missing",
        "{\"lr_scheduler_type\":\"linear\",\"max_steps\":2.5} | learning_rate is missing; max_steps = 2.5 must be a whole number",
        "{\"lr_scheduler_type\":\"constant_with_warmup\",\"learning_rate\":\"x\"} | learning_rate = \"x\" must be a number",
        "{\"lr_scheduler_type\":\"constant_with_warmup\",\"learning_rate\":1,\"gamma\":2} | unknown key 'gamma' (known: learning_rate, lr_scheduler_type, warmup_steps)"
    })
    void badJsonIsRefused(String json, String message) {
        assertRefused(message, () -> LearningRate.parse(json));
    }

    @Test
    void badValuesAreRefusedTogether() {
        assertRefused("LearningRate.WarmupLinear: peak = NaN must be positive and finite; totalSteps = 0 must be at least 1; "
                + "warmupSteps = -1 must be between 0 and totalSteps = 0; floor = 1.0 must be between 0 and peak = NaN",
                () -> new LearningRate.WarmupLinear(Double.NaN, -1, 0, 1));
        assertRefused("warmupSteps = 11 must be between 0 and totalSteps = 10",
                () -> new LearningRate.WarmupCosine(1, 11, 10, 0));
        assertRefused("floorFraction = 1.5 must be between 0 and 1 (1 % is 0.01)",
                () -> new LearningRate.WarmupCosine(1, 1, 10, 1.5));
        assertRefused("peak = 0.0 must be positive and finite; warmupSteps = -2 must not be negative",
                () -> new LearningRate.Constant(0, -2));
        assertRefused("step = -1 must not be negative: the first step is 0", () -> new LearningRate.Constant(1).at(-1));
    }

    private static void assertRefused(String message, Executable call) {
        String actual = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(actual.contains(message), actual);
    }
}
