package io.github.bts4j.core.adapter;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.support.Quoted;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A regular expression over names of modules, in Python's spelling. It comes from a file, so a match that takes too many steps ends in an exception. Immutable and
 * thread-safe.
 */
public final class ModulePattern {
    private static final int MOST_STEPS = 100_000;
    private static final int MOST_CHARACTERS = 10_000;

    private final String python;
    private final Pattern pattern;

    private ModulePattern(String python, Pattern pattern) {
        this.python = python;
        this.pattern = pattern;
    }

    /**
     * An expression that is to match a whole name, as Python's {@code re.fullmatch} does.
     *
     * @param python the expression
     * @return the pattern
     * @throws IllegalArgumentException if it is none
     */
    public static ModulePattern whole(String python) {
        return new ModulePattern(python, compiled(python, python));
    }

    /**
     * An expression that is to match the end of a name, or what follows one of its dots: the keys of {@code rank_pattern} and {@code alpha_pattern}.
     *
     * @param python the expression
     * @return the pattern
     * @throws IllegalArgumentException if it is none
     */
    public static ModulePattern end(String python) {
        return new ModulePattern(python, compiled(python, "(.*\\.)?(" + python + ")"));
    }

    private static Pattern compiled(String python, String whole) {
        throwIf(python.length() > MOST_CHARACTERS,
                () -> new IllegalArgumentException("a regular expression has " + python.length() + " characters, at most " + MOST_CHARACTERS + " are read"));
        try {
            return Pattern.compile(whole.replace("(?P<", "(?<"));
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(Quoted.of(python) + " is not a regular expression: " + e.getDescription(), e);
        } catch (StackOverflowError e) {
            throw new IllegalArgumentException(Quoted.of(python) + " is nested too deeply for a regular expression", e);
        }
    }

    /**
     * Whether a name matches.
     *
     * @param module the name
     * @return true if it does
     * @throws IllegalArgumentException if finding out takes too many steps
     */
    public boolean matches(String module) {
        try {
            return pattern.matcher(new Counted(module, new int[1])).matches();
        } catch (TooManySteps | StackOverflowError e) {
            throw new IllegalArgumentException("the regular expression " + Quoted.of(python) + " takes more than " + MOST_STEPS + " steps on " + module
                    + ": write it without nested repetitions, or list the modules", e);
        }
    }

    private static final class TooManySteps extends RuntimeException {
        private static final long serialVersionUID = 1;

        TooManySteps() {
            super(null, null, false, false);
        }
    }

    /** A text that counts how often it is looked at. */
    private record Counted(CharSequence text, int[] steps) implements CharSequence {
        @Override
        public char charAt(int index) {
            throwIf(++steps[0] > MOST_STEPS, () -> new TooManySteps());
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return new Counted(text.subSequence(start, end), steps);
        }

        @Override
        public String toString() {
            return text.toString();
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ModulePattern that && pattern.pattern().equals(that.pattern.pattern());
    }

    @Override
    public int hashCode() {
        return pattern.pattern().hashCode();
    }

    /** The original expression. */
    @Override
    public String toString() {
        return python;
    }
}
