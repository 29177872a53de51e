package io.github.bts4j.core.chat.jinja;

import java.time.Clock;
import java.util.ArrayList;
import java.util.List;

/** One rendering: its budget, its output, the clock. Not thread-safe. */
final class Run {
    private final Budget budget;
    private final Clock clock;
    private final StringBuilder root = new StringBuilder();
    private final List<Integer> generated = new ArrayList<>();
    private StringBuilder output = root;
    private boolean autoescape;

    Run(Budget budget, Clock clock) {
        this.budget = budget;
        this.clock = clock;
    }

    Budget budget() {
        return budget;
    }

    Clock clock() {
        return clock;
    }

    boolean autoescape() {
        return autoescape;
    }

    void autoescape(boolean on) {
        autoescape = on;
    }

    void write(String text) {
        budget.text(text.length());
        output.append(text);
    }

    /** From now on output goes to a buffer of its own; gives back where it went before. */
    StringBuilder capture() {
        StringBuilder before = output;
        output = new StringBuilder();
        return before;
    }

    /** Ends a capture: what was captured. Output goes where it went before. */
    String captured(StringBuilder before) {
        String text = output.toString();
        output = before;
        budget.text(text.length());
        return text;
    }

    /** Ends a capture that ended in an error. */
    void restore(StringBuilder before) {
        output = before;
    }

    /** A generation block gave {@code length} characters, which begin where the output is now. */
    void generated(int length) {
        generated.add(root.length());
        generated.add(root.length() + length);
    }

    List<Integer> generated() {
        return generated;
    }

    String text() {
        return root.toString();
    }
}
