package io.github.bts4j.core.constraint;

import java.nio.charset.StandardCharsets;

/**
 * Text that does not hold a marker; without one, text that does not begin with an opening brace. A place is how much of the marker the text ends with, or -1 at the beginning
 * of a text without a marker.
 */
final class FreeText extends Terminal {
    private static final int BEGIN = -1;

    private final byte[] marker;

    FreeText(String marker) {
        this.marker = marker.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    Object begin() {
        return marker.length == 0 ? BEGIN : 0;
    }

    @Override
    Object next(Object place, int value) {
        int at = (Integer) place;
        if (marker.length == 0) {
            return at != BEGIN ? (Integer) 0 : value == '{' ? null : value == ' ' || value == '\n' ? (Integer) BEGIN : (Integer) 0;
        }
        int matched = at;
        while (matched > 0 && (marker[matched] & 0xFF) != value) {
            matched = shorter(matched);
        }
        matched = (marker[matched] & 0xFF) == value ? matched + 1 : 0;
        return matched == marker.length ? null : (Integer) matched;
    }

    /** The length of the longest shorter beginning of the marker with which its first bytes end. */
    private int shorter(int matched) {
        for (int length = matched - 1; length > 0; length--) {
            if (java.util.Arrays.equals(marker, 0, length, marker, matched - length, matched)) {
                return length;
            }
        }
        return 0;
    }

    @Override
    boolean accepts(Object place) {
        return true;
    }

    @Override
    boolean goesOn(Object place) {
        return true;
    }
}
