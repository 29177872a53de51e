package io.github.bts4j.examples.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.bts4j.train.eval.EvaluationResult;
import io.github.bts4j.train.eval.ItemScores;
import io.github.bts4j.train.eval.Metric;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Who won: differences that are the same in every window are certain, those that change their sign from window to window are not. */
class VerdictTest {
    private static EvaluationResult scored(String model, double... values) {
        return EvaluationResult.of(model, "all", Metric.BITS_PER_BYTE, "items", ItemScores.of(values));
    }

    /** Windows that are hard and easy in turn, and how much a model needs more in each of them. */
    private static EvaluationResult windows(String model, double more, double changing) {
        return scored(model, IntStream.range(0, 40).mapToDouble(i -> (i % 2 == 0 ? 1.5 : 2.5) + more + (i % 4 < 2 ? changing : -changing)).toArray());
    }

    @Test
    void aCertainWinner() {
        assertEquals("BTS won: 2.000 bits per byte on average, 0.100 (4.8 %) fewer than BTM, the next best (95 % interval 0.100 to 0.100). The seed has 2.500.",
                Verdict.of(List.of(windows("seed", 0.5, 0), windows("BTS", 0, 0), windows("BTM", 0.1, 0)), "on average", "seed").sentence());
    }

    @Test
    void theSeedItselfMayWin() {
        assertEquals("seed won: 2.000 bits per byte on average, 0.250 (11.1 %) fewer than BTS, the next best (95 % interval 0.250 to 0.250).",
                Verdict.of(List.of(windows("BTS", 0.25, 0), windows("seed", 0, 0)), "on average", "seed").sentence());
    }

    /** Between them lies 0.001, which is nothing against 0.5 in either direction; a third that is level is named, one that is clearly behind is not. */
    @Test
    void noClearWinner() {
        String sentence = Verdict.of(List.of(windows("far", 3, 0), windows("b", 0.001, 0.5), windows("a", 0, 0), windows("c", 0.002, 0.5)), "on average", "seed").sentence();
        assertEquals("No clear winner: a has the fewest, 2.000 bits per byte on average, but b and c are not clearly behind; b has 0.001 more (95 % interval -0.",
                sentence.replaceFirst("(interval -0\\.)\\d+ to 0\\.\\d+\\)\\.$", "$1"));
    }

    @Test
    void equalsAreNoWinners() {
        assertEquals("No clear winner: a has the fewest, 2.000 bits per byte here, but b is not clearly behind; b has 0.000 more (95 % interval 0.000 to 0.000).",
                Verdict.of(List.of(windows("a", 0, 0), windows("b", 0, 0)), "here", "seed").sentence());
    }

    @Test
    void oneModelOrNone() {
        assertEquals("a has 2.000 bits per byte here; no other model was scored.", Verdict.of(List.of(windows("a", 0, 0)), "here", "seed").sentence());
        assertEquals("No model was scored.", Verdict.of(List.of(), "here", "seed").sentence());
    }

    /** Two texts count alike, however long they are: (1 + 3) / 2, and not the mean of four windows. */
    @Test
    void textsCountAlike() {
        EvaluationResult average = DomainAverage.of("a", "both", List.of(scored("a", 1, 1, 1), scored("a", 3)));
        assertEquals(2, average.interval().value(), 1e-12);
    }
}
