package io.github.bts4j.core.constraint;

/**
 * An unfinished character.
 *
 * @param bits of its code point so far
 * @param left how many bytes are missing
 * @param least the smallest code point of this length
 */
record Utf8(int bits, int left, int least) {

    /** The beginning of a character of several bytes; null if no such character begins with the byte. */
    static Utf8 begin(int value) {
        if (value >= 0xC2 && value <= 0xDF) {
            return new Utf8(value & 0x1F, 1, 0x80);
        } else if (value >= 0xE0 && value <= 0xEF) {
            return new Utf8(value & 0x0F, 2, 0x800);
        }
        return value >= 0xF0 && value <= 0xF4 ? new Utf8(value & 0x07, 3, 0x10000) : null;
    }

    /** After one more byte; null if it is none of a character's later ones. */
    Utf8 next(int value) {
        return value >= 0x80 && value <= 0xBF ? new Utf8(bits << 6 | value & 0x3F, left - 1, least) : null;
    }

    /** The smallest code point that is possible. */
    int low() {
        return Math.max(bits << 6 * left, least);
    }

    /** The largest code point that is possible. */
    int high() {
        return bits << 6 * left | (1 << 6 * left) - 1;
    }
}
