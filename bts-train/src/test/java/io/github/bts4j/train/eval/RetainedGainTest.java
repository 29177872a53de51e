package io.github.bts4j.train.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is kept of an expert's gain against SciPy's bootstrap (retained_golden.py). */
class RetainedGainTest {

    private static JsonNode golden() throws IOException {
        return new ObjectMapper().readTree(Harness.folder().resolve("retained.json").toFile());
    }

    /** A model's golden bits per byte. */
    private static EvaluationResult bits(JsonNode golden, String model) {
        ItemScores scores = new ItemScores(Harness.doubles(golden.get("bits").get(model)), Harness.doubles(golden.get("size")));
        return EvaluationResult.of(model, "code", Metric.BITS_PER_BYTE, "items", scores);
    }

    private static EvaluationResult share(String model, double[] right) {
        return EvaluationResult.of(model, "choice", Metric.ACC, "items", ItemScores.of(right));
    }

    private static void assertKept(JsonNode expected, Optional<RetainedGain> found) {
        WindowScores.Interval kept = found.orElseThrow().kept();
        double low = expected.get("interval").get(0).doubleValue();
        double high = expected.get("interval").get(1).doubleValue();
        assertEquals(expected.get("value").doubleValue(), kept.value(), 1e-12);
        assertEquals(low, kept.low(), 0.05 * (high - low), "of 5,000 resamples, SciPy's are 200,000");
        assertEquals(high, kept.high(), 0.05 * (high - low));
    }

    @Test
    void bitsPerByteAreThoseOfSciPy() throws IOException {
        JsonNode golden = golden();
        assertKept(golden.get("bits_kept"), RetainedGain.of(bits(golden, "seed"), bits(golden, "expert"), bits(golden, "model")));
    }

    @Test
    void sharesAreThoseOfSciPy() throws IOException {
        JsonNode golden = golden();
        JsonNode share = golden.get("share");
        assertKept(golden.get("share_kept"), RetainedGain.of(share("seed", Harness.doubles(share.get("seed"))),
                share("expert", Harness.doubles(share.get("expert"))), share("model", Harness.doubles(share.get("model")))));
    }

    @Test
    void theSeedKeepsNothingTheExpertAll() throws IOException {
        JsonNode golden = golden();
        EvaluationResult seed = bits(golden, "seed");
        EvaluationResult expert = bits(golden, "expert");
        assertEquals(new WindowScores.Interval(0, 0, 0), RetainedGain.of(seed, expert, seed).orElseThrow().kept());
        assertEquals(new WindowScores.Interval(1, 1, 1), RetainedGain.of(seed, expert, expert).orElseThrow().kept());
    }

    @Test
    void whereTheExpertHasGainedNothingThereIsNothingToKeep() throws IOException {
        JsonNode golden = golden();
        EvaluationResult seed = bits(golden, "seed");
        EvaluationResult expert = bits(golden, "expert");
        assertEquals(Optional.empty(), RetainedGain.of(expert, seed, expert), "the expert is worse");
        assertEquals(Optional.empty(), RetainedGain.of(seed, seed, expert), "the expert is the same");
        double[] few = new double[20];
        double[] oneMore = few.clone();
        Arrays.fill(oneMore, 0, 3, 1);
        assertEquals(Optional.empty(), RetainedGain.of(share("seed", few), share("expert", oneMore), share("model", oneMore)), "3 of 20 more may be chance: p = 0.25");
    }

    @Test
    void otherItemsAreRefused() {
        EvaluationResult seed = share("seed", new double[20]);
        EvaluationResult other = EvaluationResult.of("model", "choice", Metric.ACC, "other items", ItemScores.of(new double[20]));
        Harness.assertRefused("not of the same items", () -> RetainedGain.of(seed, seed, other));
        Harness.assertRefused("not of the same items", () -> RetainedGain.of(seed, other, seed));
    }
}
