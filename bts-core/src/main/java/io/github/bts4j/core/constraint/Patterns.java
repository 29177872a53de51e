package io.github.bts4j.core.constraint;

import java.util.HashMap;
import java.util.Map;

/** Automata of the patterns and formats of one schema, each made once. */
final class Patterns {
    private static final int MOST_LENGTH = 2000;

    private final Budget budget;
    private final Map<String, CharAutomaton> known = new HashMap<>();

    Patterns(Budget budget) {
        this.budget = budget;
    }

    CharAutomaton of(SchemaPlace place, String keyword) {
        String text = Keywords.text(place, keyword);
        if (keyword.equals("format") && !Formats.isKnown(text)) {
            throw place.problem("format", "= " + (text.length() > 60 ? text.substring(0, 60) + ".." : text) + " is not supported; known are " + Formats.names());
        }
        return compiled(place, keyword, keyword.equals("format") ? Formats.pattern(text) : text);
    }

    private CharAutomaton compiled(SchemaPlace place, String keyword, String pattern) {
        CharAutomaton automaton = known.get(pattern);
        if (automaton == null) {
            try {
                automaton = Regex.compile(pattern, budget);
            } catch (IllegalArgumentException e) {
                throw place.problem(keyword, "= " + (pattern.length() > 60 ? pattern.substring(0, 60) + ".." : pattern) + ": " + e.getMessage());
            }
            known.put(pattern, automaton);
        }
        return automaton;
    }

    /** Texts that fit two patterns. */
    CharAutomaton both(SchemaPlace place, CharAutomaton one, CharAutomaton two) {
        try {
            return one.and(two, budget);
        } catch (IllegalArgumentException e) {
            throw place.problem("pattern", "and others at the same place: " + e.getMessage());
        }
    }

    /** Those of the texts with so many characters. */
    CharAutomaton ofLength(SchemaPlace place, CharAutomaton texts, long least, long most) {
        if (least > MOST_LENGTH) {
            throw place.problem("minLength", "above " + MOST_LENGTH + " is not supported beside a pattern or a format");
        }
        try {
            return texts.ofLength(least, most == Long.MAX_VALUE ? most : Math.min(most, MOST_LENGTH), budget);
        } catch (IllegalArgumentException e) {
            throw place.problem("maxLength", "beside a pattern or a format: " + e.getMessage());
        }
    }
}
