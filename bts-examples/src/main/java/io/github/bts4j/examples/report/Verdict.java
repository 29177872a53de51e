package io.github.bts4j.examples.report;

import io.github.bts4j.train.eval.EvaluationResult;
import io.github.bts4j.train.eval.WindowScores.Interval;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Who won, and by how much.
 *
 * @param sentence the outcome in words, with numbers
 */
public record Verdict(String sentence) {
    private static final int MOST_NAMES = 3;

    /**
     * The outcome of a comparison in bits per byte. A model has won if the 95 % interval of its difference from every other one, paired by window, is below 0.
     *
     * @param results one result per model, all of the same windows
     * @param where what was scored, such as "on average over the held-out texts"
     * @param seed the name of the model from which the others began, which the sentence names too
     * @return the outcome
     * @throws IllegalArgumentException if the results are not of the same windows
     */
    public static Verdict of(List<EvaluationResult> results, String where, String seed) {
        List<EvaluationResult> ranked = results.stream().sorted(Comparator.comparingDouble(Verdict::value)).toList();
        if (ranked.isEmpty()) {
            return new Verdict("No model was scored.");
        }
        EvaluationResult best = ranked.get(0);
        String score = bits(value(best)) + " bits per byte " + where;
        if (ranked.size() == 1) {
            return new Verdict(best.model() + " has " + score + "; no other model was scored.");
        }
        List<EvaluationResult> level = ranked.subList(1, ranked.size()).stream().filter(other -> behind(best, other).low() <= 0).toList();
        EvaluationResult next = level.isEmpty() ? ranked.get(1) : level.get(0);
        Interval by = behind(best, next);
        String interval = "95 % interval " + bits(by.low()) + " to " + bits(by.high());
        String outcome = level.isEmpty()
                ? best.model() + " won: " + score + ", " + bits(by.value()) + " (" + Markup.number(100 * by.value() / value(next), 1) + " %) fewer than " + next.model() + ", the next best (" + interval + ")."
                : "No clear winner: " + best.model() + " has the fewest, " + score + ", but " + names(level) + (level.size() == 1 ? " is" : " are") + " not clearly behind; "
                        + next.model() + " has " + bits(by.value()) + " more (" + interval + ").";
        return new Verdict(outcome + ofTheSeed(ranked, best, next, seed));
    }

    private static String ofTheSeed(List<EvaluationResult> ranked, EvaluationResult best, EvaluationResult next, String seed) {
        Optional<EvaluationResult> first = ranked.stream().filter(one -> one.model().equals(seed) && !seed.equals(best.model()) && !seed.equals(next.model())).findFirst();
        return first.map(one -> " The " + seed + " has " + bits(value(one)) + ".").orElse("");
    }

    private static String names(List<EvaluationResult> models) {
        List<String> names = new ArrayList<>(models.stream().limit(MOST_NAMES).map(EvaluationResult::model).toList());
        if (models.size() > MOST_NAMES) {
            names.add((models.size() - MOST_NAMES) + " more");
        }
        int last = names.size() - 1;
        return last == 0 ? names.get(0) : String.join(", ", names.subList(0, last)) + " and " + names.get(last);
    }

    /** How many bits per byte more the other model has. */
    private static Interval behind(EvaluationResult best, EvaluationResult other) {
        Interval difference = best.against(other).difference().interval();
        return new Interval(-difference.value(), -difference.high(), -difference.low());
    }

    private static double value(EvaluationResult result) {
        return result.interval().value();
    }

    private static String bits(double value) {
        String text = Markup.number(value, 3);
        return text.equals("-0.000") ? "0.000" : text;
    }
}
