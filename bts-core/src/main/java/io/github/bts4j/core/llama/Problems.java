package io.github.bts4j.core.llama;

import java.util.ArrayList;
import java.util.List;

/** Collects what is wrong, so that one exception can say all of it. Not for concurrent use. */
final class Problems {
    private final List<String> found = new ArrayList<>();

    void add(String problem) {
        found.add(problem);
    }

    void addIf(boolean wrong, String problem) {
        if (wrong) {
            found.add(problem);
        }
    }

    void positive(String name, int value) {
        addIf(value < 1, name + " = " + value + " must be at least 1");
    }

    /** Refuses NaN, infinity, and what is below {@code least}. */
    void atLeast(String name, double value, double least) {
        addIf(!Double.isFinite(value) || value < least, name + " = " + value + " must be finite and at least " + least);
    }

    /** Refuses NaN, infinity, and what float32 holds as zero, infinite or negative. */
    void positiveFloat(String name, double value) {
        float single = (float) value;
        addIf(!Float.isFinite(single) || single <= 0, name + " = " + value + " must be finite and greater than 0 in float32");
    }

    boolean isEmpty() {
        return found.isEmpty();
    }

    int count() {
        return found.size();
    }

    /** All problems under one heading; a single one stays on the heading's line. */
    String message(String heading) {
        if (found.size() == 1) {
            return heading + ": " + found.get(0);
        }
        return heading + ": " + found.size() + " problems:\n  - " + String.join("\n  - ", found);
    }

    /** Throws one {@link IllegalArgumentException} that lists every problem, if there is any. */
    void throwAsArgument(String heading) {
        if (!found.isEmpty()) {
            throw new IllegalArgumentException(message(heading));
        }
    }
}
