package io.github.bts4j.examples.experiment;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.support.JsonReader;
import java.util.List;
import java.util.Locale;

/**
 * How long the rest of an experiment takes on this machine: every stage's tokens, at the speed of its kind's steps so far, or of a short measurement if there are none. Reading and writing of models
 * is not counted, nor are tasks.
 */
public final class Plan {
    private static final double SECONDS_PER_MINUTE = 60;

    private final List<Line> lines;

    Plan(List<Line> lines) {
        this.lines = List.copyOf(lines);
    }

    /**
     * A stage.
     *
     * @param stage its name
     * @param tokens tokens that it trains on or scores
     * @param done done share of them
     * @param tokensPerSecond speed; NaN where nothing is left and nothing is known
     */
    record Line(String stage, long tokens, double done, double tokensPerSecond) {
        double minutes() {
            return done == 1 ? 0 : tokens * (1 - done) / tokensPerSecond / SECONDS_PER_MINUTE;
        }

        private String speed() {
            return Double.isNaN(tokensPerSecond) ? "-" : String.format(Locale.ROOT, "%,.0f", tokensPerSecond);
        }
    }

    /**
     * The plan as a table.
     *
     * @return lines of text
     */
    public String text() {
        int width = lines.stream().mapToInt(line -> line.stage().length()).max().orElse(0);
        StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%-" + width + "s  %12s  %5s  %9s  %12s%n", "stage", "tokens", "done", "tokens/s", "minutes left"));
        for (Line line : lines) {
            text.append(String.format(Locale.ROOT, "%-" + width + "s  %,12d  %3.0f %%  %9s  %12.1f%n", line.stage(), line.tokens(), Math.floor(100 * line.done()), line.speed(), line.minutes()));
        }
        return text + String.format(Locale.ROOT, "%d of %d stages are done; about %.0f minutes of this machine are left, without tasks and the reading and writing of models.",
                lines.stream().filter(line -> line.done() == 1).count(), lines.size(), minutes());
    }

    /**
     * The plan as {@code {"stages": [{"stage", "tokens", "done", "tokens_per_second", "minutes_left"}], "minutes_left"}}.
     *
     * @return the object
     */
    public ObjectNode json() {
        ObjectNode all = JsonReader.object();
        ArrayNode stages = all.putArray("stages");
        for (Line line : lines) {
            ObjectNode row = stages.addObject().put("stage", line.stage()).put("tokens", line.tokens()).put("done", line.done()).put("minutes_left", line.minutes());
            if (!Double.isNaN(line.tokensPerSecond())) {
                row.put("tokens_per_second", line.tokensPerSecond());
            }
        }
        return all.put("minutes_left", minutes());
    }

    private double minutes() {
        return lines.stream().mapToDouble(Line::minutes).sum();
    }
}
