package io.github.bts4j.core.support;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;

/** Collects problems, so that one exception can report all of them. Not thread-safe. */
public final class Problems {
    private final List<String> found = new ArrayList<>();

    /** Without problems. */
    public Problems() {
        // nothing to set up
    }

    /**
     * Throws an exception if something is wrong: one check that has nothing to collect.
     *
     * @param <E> the exception's type
     * @param wrong whether it is
     * @param exception makes the exception
     * @throws E if {@code wrong}
     */
    public static <E extends Exception> void throwIf(boolean wrong, Supplier<E> exception) throws E {
        if (wrong) {
            throw exception.get();
        }
    }

    /**
     * Notes a problem.
     *
     * @param problem value, limit and fix
     */
    public void add(String problem) {
        found.add(problem);
    }

    /**
     * Notes several problems.
     *
     * @param problems value, limit and fix of each
     */
    public void addAll(Collection<String> problems) {
        found.addAll(problems);
    }

    /**
     * Notes a problem, if it is one.
     *
     * @param wrong whether it is
     * @param problem value, limit and fix
     */
    public void addIf(boolean wrong, String problem) {
        if (wrong) {
            found.add(problem);
        }
    }

    /**
     * Refuses values below 1.
     *
     * @param name the value's name
     * @param value the value
     */
    public void positive(String name, long value) {
        addIf(value < 1, name + " = " + value + " must be at least 1");
    }

    /**
     * Refuses NaN, infinity, and values below {@code least}.
     *
     * @param name the value's name
     * @param value the value
     * @param least the limit
     */
    public void atLeast(String name, double value, double least) {
        addIf(!Double.isFinite(value) || value < least, name + " = " + value + " must be finite and at least " + least);
    }

    /**
     * Refuses NaN, infinity, and what float32 holds as zero, infinite or negative.
     *
     * @param name the value's name
     * @param value the value
     */
    public void positiveFloat(String name, double value) {
        float single = (float) value;
        addIf(!Float.isFinite(single) || single <= 0, name + " = " + value + " must be finite and greater than 0 in float32");
    }

    /**
     * Refuses NaN, what float32 holds as infinite, and what is not above {@code limit}.
     *
     * @param name the value's name
     * @param value the value
     * @param limit the limit
     */
    public void floatAbove(String name, double value, int limit) {
        addIf(!(value > limit) || !Float.isFinite((float) value), name + " = " + value + " must be greater than " + limit + " and finite in float32");
    }

    /** {@return whether no problem was noted} */
    public boolean isEmpty() {
        return found.isEmpty();
    }

    /** {@return the number of problems} */
    public int count() {
        return found.size();
    }

    /** {@return the problems in the order in which they were noted} */
    public List<String> all() {
        return List.copyOf(found);
    }

    /**
     * All problems under one heading; a single one stays on the heading's line.
     *
     * @param heading the heading
     * @return the message
     */
    public String message(String heading) {
        if (found.size() == 1) {
            return heading + ": " + found.get(0);
        }
        return heading + ": " + found.size() + " problems:\n  - " + String.join("\n  - ", found);
    }

    /**
     * Throws one {@link IllegalArgumentException} that lists every problem, if there is any.
     *
     * @param heading the heading
     */
    public void throwAsArgument(String heading) {
        if (!found.isEmpty()) {
            throw new IllegalArgumentException(message(heading));
        }
    }

    /**
     * The same in one line.
     *
     * @param heading the heading, including its separator, such as {@code "options: "}
     */
    public void throwInOneLine(String heading) {
        if (!found.isEmpty()) {
            throw new IllegalArgumentException(heading + String.join("; ", found));
        }
    }
}
