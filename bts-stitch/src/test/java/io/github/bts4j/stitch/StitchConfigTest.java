package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The layout against the paper's numbers (arXiv 2502.00075, section 3.2 and table 2) and its refusals. */
class StitchConfigTest {
    private static List<Boolean> intoHub(StitchConfig config) {
        return IntStream.range(0, config.numStitches()).mapToObj(config::intoHub).toList();
    }

    @Test
    void thePapersModelHas264MillionTrainedParameters() {
        assertEquals(264_241_152L, StitchConfig.evenly(20, 4).parameterCount(3, 3072));
    }

    @Test
    void gateBiasesAddOneValuePerModelAndChannel() {
        StitchConfig plain = StitchConfig.evenly(20, 4);
        assertEquals(plain.parameterCount(3, 3072) + 4L * 4 * 3072, plain.withInit(Init.HUB).parameterCount(3, 3072));
    }

    @Test
    void parametersAreCountedInLong() {
        assertEquals(10L * 17 * 100_000L * 100_000L, StitchConfig.evenly(10, 10).parameterCount(8, 100_000));
    }

    @Test
    void thePapersPlacesAndKinds() {
        StitchConfig config = StitchConfig.evenly(20, 4);
        assertEquals(List.of(5, 10, 15, 20), config.afterLayers());
        assertEquals(List.of(false, true, false, true), intoHub(config));
        assertTrue(config.alternating());
        assertEquals(StitchConfig.DEFAULT_DROPOUT, config.dropout());
        assertEquals(Init.AVERAGE, config.init());
    }

    @Test
    void oneStitchFollowsTheLastLayerAndLeadsIntoTheHub() {
        StitchConfig config = StitchConfig.evenly(20, 1);
        assertEquals(List.of(20), config.afterLayers());
        assertEquals(List.of(true), intoHub(config));
    }

    /** arXiv 2502.00075, eq. 3 and 4: a Hub-into-Experts stitch leaves the hub as it is, and either kind replaces the experts' states. */
    @Test
    void nothingTrainedReachesAnExpertBeforeItsFirstStitchNorTheHubBeforeTheFirstOneIntoIt() {
        assertFrozen(10, 5, StitchConfig.evenly(20, 4));
        assertFrozen(5, 5, StitchConfig.evenly(20, 4).withAlternating(false));
        assertFrozen(20, 10, StitchConfig.evenly(20, 2));
        assertFrozen(20, 20, StitchConfig.evenly(20, 1));
        assertFrozen(3, 3, StitchConfig.evenly(9, 3));
    }

    private static void assertFrozen(int hub, int expert, StitchConfig config) {
        assertEquals(List.of(hub, expert, expert), List.of(config.frozenLayers(0), config.frozenLayers(1), config.frozenLayers(2)), config.toString());
        assertEquals(config.afterLayers().stream().filter(place -> place <= hub).toList(), config.cachedLayers(0));
        assertEquals(List.of(expert), config.cachedLayers(2));
    }

    @Test
    void anOddNumberOfStitchesBeginsIntoTheHub() {
        assertEquals(List.of(true, false, true), intoHub(StitchConfig.evenly(9, 3)));
    }

    @ParameterizedTest
    @CsvSource({"22, 4, 6|11|16|22", "10, 3, 3|7|10", "5, 4, 1|2|4|5", "7, 7, 1|2|3|4|5|6|7", "16, 5, 3|6|10|13|16"})
    void whereKDoesNotDivideLTheLayersAreRoundedAndTheLastIsL(int layers, int stitches, String afterLayers) {
        List<Integer> expected = Arrays.stream(afterLayers.split("\\|")).map(Integer::valueOf).toList();
        assertEquals(expected, StitchConfig.evenly(layers, stitches).afterLayers());
    }

    @Test
    void everyPairOfKAndLGivesAscendingPlacesThatEndWithL() {
        for (int layers = 1; layers <= 100; layers++) {
            for (int stitches = 1; stitches <= layers; stitches++) {
                List<Integer> afterLayers = StitchConfig.evenly(layers, stitches).afterLayers();
                assertEquals(stitches, afterLayers.size());
                assertEquals(layers, afterLayers.get(stitches - 1));
                for (int j = 1; j <= stitches; j++) {
                    double exact = (double) j * layers / stitches;
                    assertTrue(Math.abs(afterLayers.get(j - 1) - exact) <= 0.5, "L " + layers + ", K " + stitches + ": " + afterLayers);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 5})
    void aNumberOfStitchesOutsideOneToLIsRefused(int stitches) {
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, () -> StitchConfig.evenly(4, stitches));
        assertTrue(refused.getMessage().contains("numStitches = " + stitches), refused.getMessage());
        assertTrue(refused.getMessage().contains("numLayers = 4"), refused.getMessage());
    }

    @Test
    void explicitPlacesAreKeptAndCopied() {
        List<Integer> afterLayers = new ArrayList<>(List.of(1, 2, 8));
        StitchConfig config = StitchConfig.at(afterLayers);
        afterLayers.set(0, 7);
        assertEquals(List.of(1, 2, 8), config.afterLayers());
        assertThrows(UnsupportedOperationException.class, () -> config.afterLayers().set(0, 3));
    }

    @Test
    void expertsIntoHubOnly() {
        StitchConfig config = StitchConfig.evenly(8, 4).withAlternating(false);
        assertFalse(config.alternating());
        assertEquals(List.of(true, true, true, true), intoHub(config));
    }

    @Test
    void changedCopiesChangeOneValueAlone() {
        StitchConfig config = StitchConfig.at(List.of(2, 4));
        assertEquals(new StitchConfig(List.of(2, 4), true, 0.3, Init.AVERAGE), config.withDropout(0.3));
        assertEquals(new StitchConfig(List.of(2, 4), false, 0.1, Init.AVERAGE), config.withAlternating(false));
        assertEquals(new StitchConfig(List.of(2, 4), true, 0.1, Init.HUB), config.withInit(Init.HUB));
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.01, 1, 1.5, Double.NaN, Double.POSITIVE_INFINITY})
    void aDropoutOutsideZeroToOneIsRefused(double dropout) {
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
                () -> StitchConfig.at(List.of(4)).withDropout(dropout));
        assertTrue(refused.getMessage().contains("dropout = " + dropout), refused.getMessage());
    }

    @Test
    void everyProblemIsInOneMessage() {
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
                () -> new StitchConfig(List.of(0, 4, 4, 2), true, 7, Init.AVERAGE));
        for (String part : List.of("0 must be above 0", "4 must be above 4", "2 must be above 4", "dropout = 7.0")) {
            assertTrue(refused.getMessage().contains(part), part + " is not in: " + refused.getMessage());
        }
    }

    @Test
    void noPlaceAtAllIsRefused() {
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, () -> StitchConfig.at(List.of()));
        assertTrue(refused.getMessage().contains("afterLayers is empty"), refused.getMessage());
    }
}
