package io.github.bts4j.core.constraint;

import java.util.List;

/** The name of another property, in quotes and with the colon behind it: neither one of the taken names nor empty, and without escapes. Its result is the name. */
final class KeyRule extends Terminal {
    private static final int BEGIN = 0;
    private static final int INSIDE = 1;
    private static final int QUOTED = 2;
    private static final int END = 3;

    /**
     * A place.
     *
     * @param taken names
     * @param text what was generated of the name, as bytes in Latin-1 characters
     * @param tried whether more bytes were tried, so that the text is not the name
     * @param low the first taken name that begins like this one
     * @param high behind the last such name; low if there is none
     * @param length bytes of the name, 0 once no taken name begins like it
     * @param part which part is read
     * @param character an unfinished character, null if there is none
     */
    private record Key(Names taken, String text, boolean tried, int low, int high, int length, int part, Utf8 character) {}

    private static final CharAutomaton CHARACTERS = CharAutomaton.repeated(CharSet.ANY.without(CharSet.of(List.of(0, 0x1F, 0x22, 0x22, 0x5C, 0x5C))));

    @Override
    Object begin() {
        return begin(Names.NONE);
    }

    Object begin(Names taken) {
        return new Key(taken, "", false, 0, taken.size(), 0, BEGIN, null);
    }

    @Override
    Object next(Object place, int value) {
        return next((Key) place, value, false);
    }

    @Override
    Object commit(Object place, int value) {
        return next((Key) place, value, true);
    }

    @Override
    boolean remembers() {
        return true;
    }

    private static Key next(Key key, int value, boolean commit) {
        return switch (key.part) {
            case BEGIN -> value == '"' ? at(key, INSIDE) : null;
            case INSIDE -> inside(key, value, commit);
            case QUOTED -> value == ':' ? at(key, END) : null;
            default -> null;
        };
    }

    private static Key at(Key key, int part) {
        return new Key(key.taken, key.text, key.tried, key.low, key.high, key.length, part, null);
    }

    private static Key inside(Key key, int value, boolean commit) {
        if (key.character == null && value == '"') {
            boolean isTaken = key.low < key.high && key.taken.get(key.low).length() == key.length;
            boolean empty = key.length == 0 && key.low < key.high || key.text.isEmpty() && !key.tried;
            return isTaken || empty ? null : at(key, QUOTED);
        }
        Utf8 character = null;
        if (key.character != null || value >= 0x80) {
            character = key.character == null ? Utf8.begin(value) : key.character.next(value);
            if (character == null || character.low() > character.high() || !CHARACTERS.overlaps(0, character.low(), character.high())) {
                return null;
            }
            character = character.left() == 0 ? null : character;
        } else if (CHARACTERS.next(0, value) < 0) {
            return null;
        }
        int low = key.low;
        int high = key.high;
        while (low < high && byteAt(key, low) < value) {
            low++;
        }
        while (low < high && byteAt(key, high - 1) > value) {
            high--;
        }
        boolean apart = low >= high;
        return new Key(key.taken, commit ? key.text + (char) value : key.text, key.tried || !commit, apart ? 0 : low, apart ? 0 : high, apart ? 0 : key.length + 1, INSIDE,
                character);
    }

    private static int byteAt(Key key, int name) {
        String text = key.taken.get(name);
        return key.length < text.length() ? text.charAt(key.length) : -1;
    }

    @Override
    long plainRoom(Object place) {
        Key key = (Key) place;
        return key.part == INSIDE && key.character == null && key.low >= key.high ? Long.MAX_VALUE : -1;
    }

    @Override
    boolean accepts(Object place) {
        return ((Key) place).part == END;
    }

    @Override
    boolean goesOn(Object place) {
        return ((Key) place).part != END;
    }

    /** The name; empty if it is only tried. */
    @Override
    Object result(Object place) {
        Key key = (Key) place;
        return key.tried ? "" : key.text;
    }
}
