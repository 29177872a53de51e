package io.github.bts4j.core.constraint;

/** A JSON string whose text an automaton accepts, within bounds of its length in characters. */
final class StringRule extends Terminal {
    private final CharAutomaton characters;
    private final long least;
    private final long most;

    /** What is read next. */
    private enum Part { BEGIN, CHARACTER, INSIDE, ESCAPE, HEXADECIMAL, END }

    /**
     * A place.
     *
     * @param part what is read next
     * @param state of the automaton
     * @param count characters so far, as far as they matter
     * @param open an unfinished character of several bytes, null if there is none
     * @param bits of an escape's hexadecimal number
     * @param left how many of its digits are missing
     */
    private record At(Part part, int state, int count, Utf8 open, int bits, int left) {}

    private StringRule(CharAutomaton characters, long least, long most) {
        this.characters = characters;
        this.least = least;
        this.most = most;
    }

    /** A string that the automaton accepts. */
    static StringRule of(CharAutomaton characters) {
        return new StringRule(characters, 0, Long.MAX_VALUE);
    }

    /** Any string of so many characters. */
    static StringRule ofLength(long least, long most) {
        return new StringRule(CharAutomaton.ANY, least, most);
    }

    @Override
    Object begin() {
        return at(Part.BEGIN, 0, 0);
    }

    private static At at(Part part, int state, int count) {
        return new At(part, state, count, null, 0, 0);
    }

    @Override
    Object next(Object place, int value) {
        At at = (At) place;
        return switch (at.part) {
            case BEGIN -> value == '"' ? at(Part.CHARACTER, 0, 0) : null;
            case CHARACTER -> character(at, value);
            case INSIDE -> inside(at, at.open.next(value));
            case ESCAPE -> value == 'u' ? hexadecimal(at, 0, 4) : escaped(at, value);
            case HEXADECIMAL -> {
                int digit = Character.digit(value, 16);
                yield digit < 0 || value > 'f' ? null : hexadecimal(at, at.bits << 4 | digit, at.left - 1);
            }
            case END -> null;
        };
    }

    private At character(At at, int value) {
        if (value == '"') {
            return at.count >= least && characters.ends(at.state) ? at(Part.END, 0, 0) : null;
        } else if (value < 0x20 || at.count >= most) {
            return null;
        } else if (value == '\\') {
            return characters.overlaps(at.state, 0, 0xFFFF) ? at(Part.ESCAPE, at.state, at.count) : null;
        }
        return value < 0x80 ? read(at, value) : inside(at, Utf8.begin(value));
    }

    private At inside(At at, Utf8 open) {
        if (open == null || open.low() > open.high() || !characters.overlaps(at.state, open.low(), open.high())) {
            return null;
        }
        return open.left() == 0 ? read(at, open.bits()) : new At(Part.INSIDE, at.state, at.count, open, 0, 0);
    }

    private At hexadecimal(At at, int bits, int left) {
        int low = bits << 4 * left;
        if (!characters.overlaps(at.state, low, low | (1 << 4 * left) - 1)) {
            return null;
        }
        return left == 0 ? read(at, bits) : new At(Part.HEXADECIMAL, at.state, at.count, null, bits, left);
    }

    private At escaped(At at, int value) {
        return switch (value) {
            case '"', '\\', '/' -> read(at, value);
            case 'b' -> read(at, '\b');
            case 'f' -> read(at, '\f');
            case 'n' -> read(at, '\n');
            case 'r' -> read(at, '\r');
            case 't' -> read(at, '\t');
            default -> null;
        };
    }

    private At read(At at, int codePoint) {
        int state = characters.next(at.state, codePoint);
        return state < 0 ? null : at(Part.CHARACTER, state, most == Long.MAX_VALUE ? (int) Math.min(at.count + 1, least) : at.count + 1);
    }

    @Override
    long plainRoom(Object place) {
        At at = (At) place;
        boolean any = at.part == Part.CHARACTER && characters == CharAutomaton.ANY;
        return !any ? -1 : most == Long.MAX_VALUE ? most : most - at.count;
    }

    @Override
    boolean accepts(Object place) {
        return ((At) place).part == Part.END;
    }

    @Override
    boolean goesOn(Object place) {
        return ((At) place).part != Part.END;
    }
}
