package io.github.bts4j.core.constraint;

/** White space between the parts of a JSON text: nothing, one space, or a line end and an indentation of up to 20 spaces. */
final class WhiteSpace extends Terminal {
    private static final int MOST_INDENT = 20;

    /** -1 after nothing, -2 at the end, or the number of spaces of the indentation. */
    private static final int NOTHING = -1;
    private static final int END = -2;

    @Override
    Object begin() {
        return NOTHING;
    }

    @Override
    Object next(Object place, int value) {
        int at = (Integer) place;
        if (at == NOTHING) {
            return value == ' ' ? (Integer) END : value == '\n' ? (Integer) 0 : null;
        }
        return at != END && value == ' ' && at < MOST_INDENT ? (Integer) (at + 1) : null;
    }

    @Override
    boolean accepts(Object place) {
        return true;
    }

    @Override
    boolean goesOn(Object place) {
        return (Integer) place != END && (Integer) place < MOST_INDENT;
    }
}
