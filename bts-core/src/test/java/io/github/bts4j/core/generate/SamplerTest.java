package io.github.bts4j.core.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.support.SplitMix64;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SamplerTest {

    private static final int DRAWS = 200_000;
    private static final int[] NOTHING = {};
    private static final float NEVER = Float.NEGATIVE_INFINITY;

    /** Probabilities 0.5, 0.25, 0.15, 0.07, 0.03 in the order of the ids 3, 0, 4, 1, 2. */
    private static final float[] KNOWN = logits(0.25, 0.07, 0.03, 0.5, 0.15);
    private static final GenerationConfig PLAIN = GenerationConfig.greedy(1).withTemperature(1).withSeed(11);

    @Test
    void drawsFollowTheProbabilities() {
        assertDraws(PLAIN, Map.of(0, 0.25, 1, 0.07, 2, 0.03, 3, 0.5, 4, 0.15));
    }

    @Test
    void temperatureRaisesProbabilitiesToItsInverse() {
        double sum = 0.25 * 0.25 + 0.07 * 0.07 + 0.03 * 0.03 + 0.25 + 0.15 * 0.15;
        assertDraws(PLAIN.withTemperature(0.5),
                Map.of(0, 0.0625 / sum, 1, 0.0049 / sum, 2, 0.0009 / sum, 3, 0.25 / sum, 4, 0.0225 / sum));
    }

    @Test
    void topKKeepsTheLikeliest() {
        assertDraws(PLAIN.withTopK(1), Map.of(3, 1.0));
        assertDraws(PLAIN.withTopK(3), Map.of(3, 0.5 / 0.9, 0, 0.25 / 0.9, 4, 0.15 / 0.9));
    }

    @Test
    void topKKeepsAllThatAreAsLikelyAsTheLast() {
        List<TokenProbability> left = new Sampler(PLAIN.withTopK(2)).distribution(logits(0.2, 0.4, 0.2, 0.2), NOTHING);
        assertEquals(List.of(1, 0, 2, 3), left.stream().map(TokenProbability::id).toList());
    }

    @Test
    void topPKeepsTheFewestThatReachIt() {
        assertDraws(PLAIN.withTopP(0.5 - 1e-6), Map.of(3, 1.0));
        assertDraws(PLAIN.withTopP(0.74), Map.of(3, 0.5 / 0.75, 0, 0.25 / 0.75));
        assertDraws(PLAIN.withTopP(0.76), Map.of(3, 0.5 / 0.9, 0, 0.25 / 0.9, 4, 0.15 / 0.9));
        assertDraws(PLAIN.withTopP(1e-300), Map.of(3, 1.0));
    }

    @Test
    void minPKeepsWhatComesNearTheLikeliest() {
        assertDraws(PLAIN.withMinP(0.29), Map.of(3, 0.5 / 0.9, 0, 0.25 / 0.9, 4, 0.15 / 0.9));
        assertDraws(PLAIN.withMinP(1), Map.of(3, 1.0));
    }

    /** Top-p sees the renormalised rest of top-k: 0.5 and 0.25 are 0.83 of the 0.9 that is left, which is enough for 0.8; of the whole they are 0.75. */
    @Test
    void filtersSeeWhatTheOnesBeforeHaveLeft() {
        assertDraws(PLAIN.withTopK(3).withTopP(0.8), Map.of(3, 0.5 / 0.75, 0, 0.25 / 0.75));
        assertDraws(PLAIN.withTopP(0.8), Map.of(3, 0.5 / 0.9, 0, 0.25 / 0.9, 4, 0.15 / 0.9));
        assertDraws(PLAIN.withTopK(4).withTopP(0.9).withMinP(0.4), Map.of(3, 0.5 / 0.75, 0, 0.25 / 0.75));
    }

    @Test
    void thePenaltyDividesPositiveAndMultipliesNegativeLogitsOnce() {
        Sampler sampler = new Sampler(PLAIN.withRepetitionPenalty(2));
        float[] logits = {2, -1, 2, -1, 0};
        int[] tokens = {0, 0, 1, 1, 1, 4, 99};
        double[] penalized = {1, -2, 2, -1, 0};
        double sum = Arrays.stream(penalized).map(Math::exp).sum();
        for (TokenProbability token : sampler.distribution(logits, tokens)) {
            assertEquals(Math.exp(penalized[token.id()]) / sum, token.probability(), 1e-9);
        }
        assertArrayEquals(new float[] {2, -1, 2, -1, 0}, logits);
        assertEquals(2, new Sampler(GenerationConfig.greedy(1).withRepetitionPenalty(2)).next(logits, tokens));
        assertEquals(0, new Sampler(GenerationConfig.greedy(1).withRepetitionPenalty(2)).next(logits, tokens, 0));
    }

    @Test
    void greedyTakesTheLowestOfTheLikeliest() {
        Sampler sampler = new Sampler(GenerationConfig.greedy(1));
        assertEquals(1, sampler.next(new float[] {NEVER, 3, 1, 3, 3}, NOTHING));
        assertEquals(2, sampler.next(new float[] {-5, NEVER, -4, -4}, NOTHING));
        assertEquals(List.of(new TokenProbability(1, 1)), sampler.distribution(new float[] {0, 1}, NOTHING));
    }

    @Test
    void theSameSeedGivesTheSameTokens() {
        int[] first = tokens(7, 500);
        assertArrayEquals(first, tokens(7, 500));
        assertNotEquals(Arrays.toString(first), Arrays.toString(tokens(8, 500)));
    }

    /** Pins the sequence, so that an update never changes what a seed gives. */
    @Test
    void eachTokenTakesOneRandomNumber() {
        Sampler sampler = new Sampler(PLAIN);
        SplittableRandom random = new SplittableRandom(PLAIN.seed());
        for (int i = 0; i < 1000; i++) {
            assertEquals((int) (random.nextDouble() * 8), sampler.next(new float[8], NOTHING)); // eight tokens, equally likely
        }
    }

    @Test
    void theRandomNumbersAreThoseOfSplittableRandom() {
        for (long seed : new long[] {0, 1, -1, Long.MIN_VALUE, 42}) {
            SplitMix64 mine = new SplitMix64(seed);
            SplittableRandom java = new SplittableRandom(seed);
            for (int i = 0; i < 100; i++) {
                assertEquals(java.nextLong(), mine.next());
            }
            double number = new SplitMix64(seed).nextDouble();
            assertEquals(new SplittableRandom(seed).nextDouble(), number);
        }
    }

    @Test
    void ruledOutTokensNeverCome() {
        for (GenerationConfig config : List.of(PLAIN, PLAIN.withTopK(3), PLAIN.withTopP(0.9999), PLAIN.withTemperature(1e6))) {
            Sampler sampler = new Sampler(config);
            for (int i = 0; i < 1000; i++) {
                assertEquals(1, sampler.next(new float[] {NEVER, -100, NEVER, NEVER}, NOTHING));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1e-300", "1e-3", "1e300"})
    void extremeTemperaturesOverflowNothing(double temperature) {
        List<TokenProbability> left = new Sampler(PLAIN.withTemperature(temperature)).distribution(new float[] {3e38f, -3e38f, 3e38f}, NOTHING);
        assertEquals(temperature < 1 ? 2 : 3, left.size());
        left.forEach(token -> assertEquals(1.0 / left.size(), token.probability(), 1e-12));
    }

    @Test
    void logitsThatAreNoLogitsAreRefused() {
        for (GenerationConfig config : List.of(GenerationConfig.greedy(1), PLAIN, PLAIN.withTopK(2), PLAIN.withRepetitionPenalty(2))) {
            Sampler sampler = new Sampler(config);
            assertRefused(sampler, "logits[1] = NaN", 1, Float.NaN, 2);
            assertRefused(sampler, "logits[2] = Infinity", 1, 0, Float.POSITIVE_INFINITY);
            assertRefused(sampler, "all 2 logits are minus infinity", NEVER, NEVER);
            assertRefused(sampler, "all 0 logits are minus infinity");
        }
        assertThrows(IllegalArgumentException.class, () -> Sampler.logProb(new float[] {Float.NaN, 0}, 1));
        assertThrows(IllegalArgumentException.class, () -> Sampler.logProb(new float[] {0}, 1));
        Sampler penalizing = new Sampler(PLAIN.withRepetitionPenalty(2));
        assertThrows(IllegalArgumentException.class, () -> penalizing.next(KNOWN, new int[] {-1}));
        assertThrows(IndexOutOfBoundsException.class, () -> penalizing.next(KNOWN, new int[] {1}, 2));
    }

    @Test
    void logProbIsOfTheChosenTokenAlone() {
        assertEquals(Math.log(0.15), Sampler.logProb(KNOWN, 4), 1e-6);
        assertEquals(Float.NEGATIVE_INFINITY, Sampler.logProb(new float[] {0, NEVER}, 1));
        assertEquals(0, Sampler.logProb(new float[] {1e30f, NEVER, -1e30f}, 0));
    }

    /** The heaps against a sort, on a vocabulary as large as Llama 3's. */
    @Test
    void largeVocabulariesAreFilteredAsASortWould() {
        Random random = new Random(3);
        float[] logits = new float[128_256];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.round(random.nextGaussian() * 3000) / 1000; // with ties
        }
        float[] sorted = logits.clone();
        Arrays.sort(sorted);
        for (int k : new int[] {1, 2, 40, 5000, 100_000}) {
            float threshold = sorted[sorted.length - k];
            long expected = IntStream.range(0, logits.length).filter(i -> logits[i] >= threshold).count();
            List<TokenProbability> left = new Sampler(PLAIN.withTopK(k)).distribution(logits, NOTHING);
            assertEquals(expected, left.size());
            assertTrue(left.stream().allMatch(token -> logits[token.id()] >= threshold));
        }
        List<TokenProbability> all = new Sampler(PLAIN).distribution(logits, NOTHING);
        for (double p : new double[] {0.1, 0.5, 0.95}) {
            int fewest = 0;
            for (double sum = 0; sum < p; fewest++) {
                sum += all.get(fewest).probability();
            }
            List<TokenProbability> left = new Sampler(PLAIN.withTopP(p)).distribution(logits, NOTHING);
            assertEquals(all.subList(0, fewest).stream().map(TokenProbability::id).toList(), left.stream().map(TokenProbability::id).toList());
        }
    }

    /** Support exactly, frequencies within 4 standard deviations of the binomial distribution. */
    private static void assertDraws(GenerationConfig config, Map<Integer, Double> expected) {
        Map<Integer, Double> left = new Sampler(config).distribution(KNOWN, NOTHING).stream()
                .collect(Collectors.toMap(TokenProbability::id, TokenProbability::probability));
        assertEquals(expected.keySet(), left.keySet());
        int[] counts = new int[KNOWN.length];
        Sampler sampler = new Sampler(config);
        for (int i = 0; i < DRAWS; i++) {
            counts[sampler.next(KNOWN, NOTHING)]++;
        }
        for (int id = 0; id < counts.length; id++) {
            double p = expected.getOrDefault(id, 0.0);
            assertEquals(p, left.getOrDefault(id, 0.0), 1e-6);
            assertEquals(p * DRAWS, counts[id], 4 * Math.sqrt(DRAWS * p * (1 - p)) + DRAWS * 1e-7, "token " + id);
        }
    }

    private static int[] tokens(long seed, int count) {
        Sampler sampler = new Sampler(PLAIN.withSeed(seed).withTopK(60).withTopP(0.95));
        Random random = new Random(1);
        float[] logits = new float[100];
        return IntStream.range(0, count).map(i -> {
            for (int id = 0; id < logits.length; id++) {
                logits[id] = random.nextFloat() * 4;
            }
            return sampler.next(logits, NOTHING);
        }).toArray();
    }

    private static void assertRefused(Sampler sampler, String expected, float... logits) {
        String message = assertThrows(IllegalArgumentException.class, () -> sampler.next(logits, NOTHING)).getMessage();
        assertTrue(message.startsWith(expected), message);
    }

    private static float[] logits(double... probabilities) {
        float[] logits = new float[probabilities.length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.log(probabilities[i]);
        }
        return logits;
    }
}
