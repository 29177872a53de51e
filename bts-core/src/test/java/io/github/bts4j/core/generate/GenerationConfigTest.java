package io.github.bts4j.core.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.constraint.Constraint;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class GenerationConfigTest {

    private static final Penalties PENALTIES = Penalties.NONE.withRepetition(1.1);
    private static final GenerationConfig FULL = new GenerationConfig(5, 0.7, 40, 0.9, 0.05, PENALTIES, 42L, EndTokens.of(Set.of(2, 3)), List.of("\n\n", "User:"), Constraint.NONE);

    @Test
    void greedyHasEveryOptionOff() {
        assertEquals(new GenerationConfig(9, 0, 0, 1, 0, Penalties.NONE, 0, EndTokens.OF_MODEL, List.of(), Constraint.NONE), GenerationConfig.greedy(9));
        assertTrue(GenerationConfig.greedy(9).isGreedy());
        assertEquals(false, FULL.isGreedy());
    }

    @Test
    void withersSetEachOption() {
        assertEquals(FULL, GenerationConfig.greedy(1).withMaxNewTokens(5).withTemperature(0.7).withTopK(40).withTopP(0.9).withMinP(0.05).withRepetitionPenalty(1.1)
                .withSeed(42).withEndTokens(Set.of(2, 3)).withStopStrings(List.of("\n\n", "User:")));
    }

    @Test
    void allProblemsAreNamedAtOnce() {
        String message = assertThrows(IllegalArgumentException.class,
                () -> new GenerationConfig(0, -1, -2, 0, 1.5, Penalties.NONE, 0, EndTokens.NONE, List.of("ok", ""), Constraint.NONE)).getMessage();
        for (String problem : List.of("maxNewTokens = 0,", "temperature = -1.0,", "topK = -2,", "topP = 0.0,", "minP = 1.5,", "stop string '' is empty")) {
            assertTrue(message.contains(problem), message);
        }
    }

    @Test
    void problemsOfPenaltiesAreNamedAtOnce() {
        String message = assertThrows(IllegalArgumentException.class, () -> new Penalties(0, Double.NaN, Double.POSITIVE_INFINITY, Map.of(-1, 2.0))).getMessage();
        for (String problem : List.of("repetitionPenalty = 0.0,", "presencePenalty = NaN,", "frequencyPenalty = Infinity,", "logitBias of token -1 = 2.0,")) {
            assertTrue(message.contains(problem), message);
        }
    }

    @Test
    void notANumberIsNoOption() {
        for (double value : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
            Stream.<org.junit.jupiter.api.function.Executable>of(() -> FULL.withTemperature(value), () -> FULL.withTopP(value), () -> FULL.withMinP(value),
                    () -> FULL.withRepetitionPenalty(value)).forEach(change -> assertThrows(IllegalArgumentException.class, change));
        }
    }

    @Test
    void collectionsAreCopied() {
        Set<Integer> eos = new HashSet<>(Set.of(1));
        List<String> stops = new ArrayList<>(List.of("a"));
        GenerationConfig config = GenerationConfig.greedy(1).withEndTokens(eos).withStopStrings(stops);
        eos.add(9);
        stops.add("b");
        assertEquals(Set.of(1), config.endTokens().ids());
        assertEquals(List.of("a"), config.stopStrings());
    }

    @Test
    void resultsAddUpTheirTokens() {
        List<GeneratedToken> tokens = List.of(new GeneratedToken(7, "a", -0.5f, 0), new GeneratedToken(2, "", -0.25f, 1));
        GenerationResult result = new GenerationResult(3, tokens, "a", StopReason.EOS, Optional.empty());
        assertArrayEquals(new int[] {7, 2}, result.tokenIds());
        assertEquals(-0.75, result.logProb());
    }

    @Test
    void contradictoryResultsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new GenerationResult(3, List.of(), "", StopReason.STOP_STRING, Optional.empty()));
        assertThrows(IllegalArgumentException.class, () -> new GenerationResult(3, List.of(), "", StopReason.EOS, Optional.of("x")));
        assertThrows(IllegalArgumentException.class, () -> new GenerationResult(-1, List.of(), "", StopReason.EOS, Optional.empty()));
        assertThrows(IllegalArgumentException.class, () -> new GeneratedToken(-1, "", 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new GeneratedToken(1, "", 0, -1));
    }
}
